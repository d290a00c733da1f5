import type { StoredEntry } from "../../src/hub/entry.js";
import type { EntryPage, EntryRange } from "../../src/hub/store.js";

/** What a store of entries must answer like: one entry a place, in plain arrays. */
export class PlainLog {
  readonly entries: StoredEntry[];

  constructor(entries: StoredEntry[] = []) {
    this.entries = entries;
  }

  /** The same, to be changed alone. */
  copy(): PlainLog {
    return new PlainLog([...this.entries]);
  }

  byKey(author: string, key: string): StoredEntry | undefined {
    return this.entries.find(
      (one) => one.kind === "chatMessage" && one.author === author && one.key === key,
    );
  }

  of(channelId: string): StoredEntry[] {
    return this.entries.filter((one) => one.channelId === channelId);
  }

  range(range: EntryRange): EntryPage {
    const { channelId, afterSeq = 0, beforeSeq = Number.POSITIVE_INFINITY, kind, notBy } = range;
    const found = this.of(channelId).filter(
      (one) =>
        one.seq > afterSeq &&
        one.seq < beforeSeq &&
        (kind === undefined || one.kind === kind) &&
        one.author !== notBy,
    );
    if (range.newest) found.reverse();
    const entries: StoredEntry[] = [];
    let bytes = 0;
    for (const one of found) {
      bytes += one.body.length;
      if (entries.length === range.limit || (entries.length > 0 && bytes > range.maxBytes)) break;
      entries.push(one);
    }
    const hasMore = entries.length < found.length;
    return { entries: range.newest ? entries.reverse() : entries, hasMore };
  }

  /** Of those channels, the one that got an entry last and none that ended it. */
  lastUsed(channelIds: string[]): string | undefined {
    const has = (channelId: string) =>
      !this.of(channelId).some(({ kind }) => kind === "chatEnd") && channelIds.includes(channelId);
    return this.entries.findLast(({ channelId }) => has(channelId))?.channelId;
  }
}
