import type { Database } from "better-sqlite3";
import type { EntryKind, StoredEntry } from "../../hub/entry.js";
import type { EntryPage, EntryRange } from "../../hub/store.js";
import { greatestKeys } from "./greatest-keys.js";

/** A row of the table entries, with the name of its channel. */
export interface EntryRow {
  channel_id: string;
  seq: number;
  kind: number;
  author: string;
  key: string | null;
  addressed_by_channel: number;
  stored_at_ms: number;
  body: Uint8Array;
}

/** Statements about entries. */
export interface EntryRows {
  /** Stores an entry of the channel whose rowid is given, and returns its own rowid. */
  insert(channel: number, entry: StoredEntry): number;
  byKey(author: string, kind: EntryKind, key: string): StoredEntry | undefined;
  bySeq(channelId: string, seq: number): StoredEntry | undefined;
  range(range: EntryRange): EntryPage;
}

/** The numbers in the file: they never change. */
const KIND_NUMBERS = {
  chatRequest: 1,
  chatAccept: 2,
  chatReject: 3,
  chatMessage: 4,
  chatEnd: 5,
} as const satisfies Record<EntryKind, number>;

const KINDS: ReadonlyMap<number, EntryKind> = new Map(
  Object.entries(KIND_NUMBERS).map(([kind, number]) => [number, kind as EntryKind]),
);

const COLUMNS = "seq, kind, author, key, addressed_by_channel, stored_at_ms, body";
const OF_CHANNEL = `SELECT @channelId AS channel_id, ${COLUMNS} FROM entries
  WHERE channel = (SELECT id FROM channels WHERE channel_id = @channelId)`;
const RANGE = `${OF_CHANNEL} AND seq > @after AND seq < @before
  AND (@kind IS NULL OR kind = @kind) AND (@notBy IS NULL OR author <> @notBy)`;

/** The statements by name; a test asks SQLite how it answers each. */
export const ENTRY_SQL = {
  // Asked of every message, mostly in vain: as a join it would take four times as long then.
  byKey: `SELECT (SELECT channel_id FROM channels WHERE id = entries.channel) AS channel_id, ${COLUMNS}
    FROM entries WHERE author = ? AND kind = ? AND key = ?`,
  greatestKey: `SELECT key FROM entries WHERE author = ? AND kind = ${KIND_NUMBERS.chatMessage} AND key IS NOT NULL
    ORDER BY key DESC LIMIT 1`,
  bySeq: `${OF_CHANNEL} AND seq = @seq`,
  oldest: `${RANGE} ORDER BY seq`,
  newest: `${RANGE} ORDER BY seq DESC`,
};

export function prepareEntryRows(db: Database): EntryRows {
  const insert = db.prepare<(string | number | null | Uint8Array)[]>(
    `INSERT INTO entries (channel, seq, kind, author, key, addressed_by_channel, stored_at_ms, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byKey = db.prepare<[string, number, string], EntryRow>(ENTRY_SQL.byKey);
  const greatestKey = db.prepare<[string], string>(ENTRY_SQL.greatestKey).pluck();
  const messageIds = greatestKeys((author) => greatestKey.get(author) ?? "");
  const bySeq = db.prepare<[{ channelId: string; seq: number }], EntryRow>(ENTRY_SQL.bySeq);
  type Range = [Record<string, string | number | null>];
  const oldest = db.prepare<Range, EntryRow>(ENTRY_SQL.oldest);
  const newest = db.prepare<Range, EntryRow>(ENTRY_SQL.newest);

  return {
    insert(channel, entry) {
      if (entry.kind === "chatMessage") messageIds.note(entry.author, entry.key);
      const done = insert.run(
        channel,
        entry.seq,
        KIND_NUMBERS[entry.kind],
        entry.author,
        entry.key || null,
        entry.addressedByChannel ? 1 : 0,
        entry.storedAtMs,
        entry.body,
      );
      return Number(done.lastInsertRowid);
    },
    byKey(author, kind, key) {
      if (kind === "chatMessage" && messageIds.isNew(author, key)) return undefined;
      const row = byKey.get(author, KIND_NUMBERS[kind], key);
      return row && entryOf(row);
    },
    bySeq(channelId, seq) {
      const row = bySeq.get({ channelId, seq });
      return row && entryOf(row);
    },
    range(range) {
      const found = (range.newest ? newest : oldest).iterate({
        channelId: range.channelId,
        after: range.afterSeq ?? 0,
        before: range.beforeSeq ?? Number.MAX_SAFE_INTEGER,
        kind: range.kind === undefined ? null : KIND_NUMBERS[range.kind],
        notBy: range.notBy ?? null,
      });
      const page = take(found, range.limit, range.maxBytes);
      if (range.newest) page.entries.reverse();
      return page;
    },
  };
}

/** Reads rows until a page is full, and no more bodies than one beyond it. */
function take(rows: Iterable<EntryRow>, limit: number, maxBytes: number): EntryPage {
  const entries: StoredEntry[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += row.body.byteLength;
    const isFull = entries.length >= limit || (entries.length > 0 && bytes > maxBytes);
    if (isFull) return { entries, hasMore: true };
    entries.push(entryOf(row));
  }
  return { entries, hasMore: false };
}

/** The entry of a row. Throws where it is of no kind that is known. */
export function entryOf(row: EntryRow): StoredEntry {
  const kind = KINDS.get(row.kind);
  if (kind === undefined) throw new Error(`an entry is of the unknown kind ${row.kind}`);
  return {
    channelId: row.channel_id,
    seq: row.seq,
    kind,
    author: row.author,
    key: row.key ?? "",
    addressedByChannel: row.addressed_by_channel === 1,
    storedAtMs: row.stored_at_ms,
    body: row.body,
  };
}
