/** What is known of the keys of one author's entries: none is greater. */
export interface GreatestKeys {
  /** Certainly no entry of the author has this key; false where it has to be looked for. */
  isNew(author: string, key: string): boolean;
  /** An entry is about to be stored. */
  note(author: string, key: string): void;
}

/** Authors that are remembered. With one more, all are forgotten: one by one would cost more than a search. */
const MAX_AUTHORS = 10_000;
/** Of such keys JavaScript and SQLite say the same which is greater, whatever the other one is. */
const IS_ASCII = /^[\x20-\x7e]*$/;

/**
 * Most ids are new, and most clients make ids that ascend (UUIDv7): one that is greater than all
 * of its author needs no search. That search was a tenth of what a message cost the store, and
 * more the more was stored, for it touches a page that nothing else needs (`npm run bench -- --only stored`).
 *
 * A bound may be too great, after a transaction that did not commit or a channel that was pruned;
 * then a search is made in vain. The index stays unique whatever is said here.
 * @param greatest asks the database, once for each author
 */
export function greatestKeys(greatest: (author: string) => string): GreatestKeys {
  const known = new Map<string, string>();

  function of(author: string): string {
    let key = known.get(author);
    if (key === undefined) {
      key = greatest(author);
      if (known.size >= MAX_AUTHORS) known.clear();
      known.set(author, key);
    }
    return key;
  }

  return {
    isNew: (author, key) => IS_ASCII.test(key) && key > of(author),
    note(author, key) {
      const before = known.get(author);
      if (before !== undefined && key > before) known.set(author, key);
    },
  };
}
