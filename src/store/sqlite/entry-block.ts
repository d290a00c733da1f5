import type { EntryKind, StoredEntry } from "../../hub/entry.js";

/** A row of the table entry_blocks, with the name of its channel. */
export interface BlockRow {
  channel_id: string;
  /** Of its last entry. */
  seq: number;
  kind: number;
  author: string;
  /** Of its one entry; null in a block of several, or where an entry has none. */
  key: string | null;
  addressed_by_channel: number;
  stored_at_ms: number;
  body: Uint8Array;
  entry_count: number;
  /** A JSON array of heads; null where it is one entry. */
  heads: string | null;
}

/** What a block says of one of its entries: start and length of its body, key, time, and addressed_by_channel. */
type Head = [start: number, length: number, key: string, storedAtMs: number, addressed: 0 | 1];

/** More entries are not put into one block: reading one of them reads all. Part of the file's format. */
export const MAX_BLOCK_ENTRIES = 64;
/** Nor are larger ones, in bytes of their bodies. */
export const MAX_BLOCK_BYTES = 32 * 1024;

/** The numbers in the file: they never change. */
export const KIND_NUMBERS = {
  chatRequest: 1,
  chatAccept: 2,
  chatReject: 3,
  chatMessage: 4,
  chatEnd: 5,
} as const satisfies Record<EntryKind, number>;

const KINDS: ReadonlyMap<number, EntryKind> = new Map(
  Object.entries(KIND_NUMBERS).map(([kind, number]) => [number, kind as EntryKind]),
);

/** The heads and the bodies of a block of several entries. */
export function packed(entries: readonly StoredEntry[]): { heads: string; body: Uint8Array } {
  const heads: Head[] = [];
  let start = 0;
  for (const { body, key, storedAtMs, addressedByChannel } of entries) {
    heads.push([start, body.length, key, storedAtMs, addressedByChannel ? 1 : 0]);
    start += body.length;
  }
  return { heads: JSON.stringify(heads), body: Buffer.concat(entries.map((entry) => entry.body)) };
}

/** The entries of a row, in seq order. Throws where it is of no kind that is known, or not what it says. */
export function entriesOf(row: BlockRow): StoredEntry[] {
  const kind = KINDS.get(row.kind);
  if (kind === undefined) throw new Error(`an entry is of the unknown kind ${row.kind}`);
  const { channel_id: channelId, seq, author, body } = row;
  if (row.heads === null) {
    const key = row.key ?? "";
    const addressedByChannel = row.addressed_by_channel === 1;
    const storedAtMs = row.stored_at_ms;
    return [{ channelId, seq, kind, author, key, addressedByChannel, storedAtMs, body }];
  }
  const heads: Head[] = JSON.parse(row.heads);
  if (heads.length !== row.entry_count) {
    throw new Error(`a block has ${heads.length} heads of ${row.entry_count} entries`);
  }
  const firstSeq = seq - heads.length + 1;
  return heads.map(([start, length, key, storedAtMs, addressed], index) => {
    if (start < 0 || start + length > body.length) {
      throw new Error("a block ends before the last of its entries");
    }
    return {
      channelId,
      seq: firstSeq + index,
      kind,
      author,
      key,
      addressedByChannel: addressed === 1,
      storedAtMs,
      body: body.subarray(start, start + length),
    };
  });
}
