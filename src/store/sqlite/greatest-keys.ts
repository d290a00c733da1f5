/** What is known of the keys of one author's entries: none is greater. */
export interface GreatestKeys {
  /** Certainly no entry of the author has this key; false where it has to be looked for. */
  isNew(author: string, key: string): boolean;
  /**
   * An entry is about to be stored.
   * @returns the greatest key before, where this one is certainly greater; else undefined
   */
  note(author: string, key: string): string | undefined;
  /** A transaction begins: nothing is about to be stored, so that the database knows all keys. */
  begin(): void;
}

/** With more authors than that, all are forgotten: one by one would cost more than a search. */
const MAX_AUTHORS = 10_000;
/** Of such keys JavaScript and SQLite say the same which is greater, whatever the other one is. */
const IS_ASCII = /^[\x20-\x7e]*$/;

/**
 * Most ids are new, and most clients make ids that ascend (UUIDv7): one that is greater than all
 * of its author needs no search. That search was a tenth of what a message cost the store, and
 * more the more was stored, for it touches a page that nothing else needs (`npm run bench -- --only stored`).
 *
 * A bound may be too great, after a transaction that did not commit or a channel that was pruned;
 * then a search is made in vain. What is said to be new must be: of blocks no index sees to it.
 * @param greatest asks the database, once for each author
 */
export function greatestKeys(greatest: (author: string) => string): GreatestKeys {
  const known = new Map<string, string>();

  function of(author: string): string {
    let key = known.get(author);
    if (key === undefined) {
      key = greatest(author);
      known.set(author, key);
    }
    return key;
  }

  const isBeyond = (before: string, key: string) => key > before && IS_ASCII.test(key);

  return {
    isNew: (author, key) => isBeyond(of(author), key),
    note(author, key) {
      const before = of(author);
      if (key > before) known.set(author, key);
      return isBeyond(before, key) ? before : undefined;
    },
    begin() {
      if (known.size > MAX_AUTHORS) known.clear();
    },
  };
}
