import type { Database } from "better-sqlite3";
import type { EntryKind, StoredEntry } from "../../hub/entry.js";
import type { EntryPage, EntryRange } from "../../hub/store.js";
import {
  type BlockRow,
  entriesOf,
  KIND_NUMBERS,
  MAX_BLOCK_ENTRIES,
  packed,
} from "./entry-block.js";
import { fixedPlans } from "./fixed-plans.js";
import { greatestKeys } from "./greatest-keys.js";

/** Statements about entries. */
export interface EntryRows {
  /** A transaction begins. */
  begin(): void;
  /**
   * Stores entries of the channel whose rowid is given as one row, and returns the row's own. Several are
   * messages of one author whose keys ascend and are new.
   */
  insert(channel: number, entries: readonly StoredEntry[]): number;
  /** Certainly no entry has this key; false where it has to be looked for. */
  isNew(author: string, kind: EntryKind, key: string): boolean;
  /**
   * A message is about to be stored under this id.
   * @returns the greatest id of the author before, where this one is greater; else undefined
   */
  noteMessageId(author: string, messageId: string): string | undefined;
  byKey(author: string, kind: EntryKind, key: string): StoredEntry | undefined;
  /** A block of the author has this key. */
  isInBlock(author: string, key: string): boolean;
  bySeq(channelId: string, seq: number): StoredEntry | undefined;
  range(range: EntryRange): EntryPage;
}

const MESSAGE = KIND_NUMBERS.chatMessage;
const COLUMNS =
  "seq, kind, author, key, addressed_by_channel, stored_at_ms, body, entry_count, heads";
const WITH_CHANNEL = `(SELECT channel_id FROM channels WHERE id = entry_blocks.channel) AS channel_id, ${COLUMNS}`;
const OF_CHANNEL = `SELECT @channelId AS channel_id, ${COLUMNS} FROM entry_blocks
  WHERE channel = (SELECT id FROM channels WHERE channel_id = @channelId)`;
// The row that holds the end of the range may end behind it: beyond that, no row is read.
const RANGE = `${OF_CHANNEL} AND seq > @after AND seq < @end AND seq - entry_count < @lastSeq
  AND (@kind IS NULL OR kind = @kind) AND (@notBy IS NULL OR author <> @notBy)`;

/** The statements by name; a test asks SQLite how it answers each. */
export const ENTRY_SQL = fixedPlans({
  // Asked of every message whose id is not certainly new, mostly in vain: as a join it would take four times as long.
  byKey: `SELECT ${WITH_CHANNEL} FROM entry_blocks WHERE author = ? AND kind = ? AND key = ?`,
  // The first block that ends behind the key is the only one that may hold it.
  blockByKey: `SELECT ${WITH_CHANNEL} FROM entry_blocks WHERE id = (
    SELECT CASE WHEN first_key <= @key THEN id END FROM entry_blocks
    WHERE author = @author AND last_key >= @key ORDER BY last_key LIMIT 1)`,
  greatestKey: `SELECT key FROM entry_blocks WHERE author = ? AND kind = ${MESSAGE} AND key IS NOT NULL
    ORDER BY key DESC LIMIT 1`,
  greatestBlockKey: `SELECT last_key FROM entry_blocks WHERE author = ? AND last_key IS NOT NULL
    ORDER BY last_key DESC LIMIT 1`,
  bySeq: `${OF_CHANNEL} AND seq >= @seq ORDER BY seq LIMIT 1`,
  oldest: `${RANGE} ORDER BY seq`,
  newest: `${RANGE} ORDER BY seq DESC`,
});

export function prepareEntryRows(db: Database): EntryRows {
  const insertOne = db.prepare<(string | number | null | Uint8Array)[]>(
    `INSERT INTO entry_blocks (channel, seq, kind, author, key, addressed_by_channel, stored_at_ms, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertSeveral = db.prepare<(string | number | Uint8Array)[]>(
    `INSERT INTO entry_blocks (channel, seq, kind, author, addressed_by_channel, stored_at_ms, body,
        entry_count, first_key, last_key, heads)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byKey = db.prepare<[string, number, string], BlockRow>(ENTRY_SQL.byKey);
  const blockByKey = db.prepare<[{ author: string; key: string }], BlockRow>(ENTRY_SQL.blockByKey);
  const greatestKey = db.prepare<[string], string>(ENTRY_SQL.greatestKey).pluck();
  const greatestBlockKey = db.prepare<[string], string>(ENTRY_SQL.greatestBlockKey).pluck();
  const greatestInBlocks = (author: string) => greatestBlockKey.get(author) ?? "";
  const messageIds = greatestKeys((author) => {
    const ofSingle = greatestKey.get(author) ?? "";
    const ofBlock = greatestInBlocks(author);
    return ofBlock > ofSingle ? ofBlock : ofSingle;
  });
  // Who makes ids that do not ascend has no blocks, and need not look for each id in them.
  const blockIds = greatestKeys(greatestInBlocks);
  const bySeq = db.prepare<[{ channelId: string; seq: number }], BlockRow>(ENTRY_SQL.bySeq);
  type Range = [Record<string, string | number | null>];
  const oldest = db.prepare<Range, BlockRow>(ENTRY_SQL.oldest);
  const newest = db.prepare<Range, BlockRow>(ENTRY_SQL.newest);

  const inBlock = (author: string, key: string) =>
    blockIds.isNew(author, key) ? undefined : withKey(blockByKey.get({ author, key }), key);

  return {
    begin() {
      messageIds.begin();
      blockIds.begin();
    },
    insert(channel, entries) {
      const [first] = entries;
      const last = entries.at(-1);
      if (first === undefined || last === undefined) throw new Error("a row without entries");
      const { seq, author, key, storedAtMs } = last;
      const kind = KIND_NUMBERS[last.kind];
      const addressed = last.addressedByChannel ? 1 : 0;
      if (first === last) {
        const own = [channel, seq, kind, author, key || null, addressed, storedAtMs, last.body];
        return Number(insertOne.run(...own).lastInsertRowid);
      }
      blockIds.note(author, key);
      const { heads, body } = packed(entries);
      const head = [channel, seq, kind, author, addressed, storedAtMs, body];
      const done = insertSeveral.run(...head, entries.length, first.key, key, heads);
      return Number(done.lastInsertRowid);
    },
    isNew: (author, kind, key) => kind === "chatMessage" && messageIds.isNew(author, key),
    noteMessageId: messageIds.note,
    byKey(author, kind, key) {
      const single = withKey(byKey.get(author, KIND_NUMBERS[kind], key), key);
      return single ?? (kind === "chatMessage" ? inBlock(author, key) : undefined);
    },
    isInBlock: (author, key) => inBlock(author, key) !== undefined,
    bySeq(channelId, seq) {
      const row = bySeq.get({ channelId, seq });
      return row && entriesOf(row).find((entry) => entry.seq === seq);
    },
    range(range) {
      const { afterSeq = 0, beforeSeq = Number.MAX_SAFE_INTEGER } = range;
      const rows = (range.newest ? newest : oldest).iterate({
        channelId: range.channelId,
        after: afterSeq,
        lastSeq: beforeSeq - 1,
        end: Math.min(beforeSeq + MAX_BLOCK_ENTRIES, Number.MAX_SAFE_INTEGER),
        kind: range.kind === undefined ? null : KIND_NUMBERS[range.kind],
        notBy: range.notBy ?? null,
      });
      const page = take(
        within(rows, afterSeq, beforeSeq, range.newest),
        range.limit,
        range.maxBytes,
      );
      if (range.newest) page.entries.reverse();
      return page;
    },
  };
}

function withKey(row: BlockRow | undefined, key: string): StoredEntry | undefined {
  return row && entriesOf(row).find((entry) => entry.key === key);
}

/** The entries of rows that lie between two seqs; those of each row in the order of the rows. */
function* within(
  rows: Iterable<BlockRow>,
  afterSeq: number,
  beforeSeq: number,
  newest = false,
): Generator<StoredEntry> {
  for (const row of rows) {
    const entries = entriesOf(row);
    if (newest) entries.reverse();
    for (const entry of entries) if (entry.seq > afterSeq && entry.seq < beforeSeq) yield entry;
  }
}

/** Takes entries until a page is full, and no more bodies than a block beyond it. */
function take(found: Iterable<StoredEntry>, limit: number, maxBytes: number): EntryPage {
  const entries: StoredEntry[] = [];
  let bytes = 0;
  for (const entry of found) {
    bytes += entry.body.byteLength;
    const isFull = entries.length >= limit || (entries.length > 0 && bytes > maxBytes);
    if (isFull) return { entries, hasMore: true };
    entries.push(entry);
  }
  return { entries, hasMore: false };
}
