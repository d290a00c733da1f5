import { DatabaseSync } from "node:sqlite";

/** One entry, as the file has it. */
export interface FileEntry {
  channelId: string;
  seq: number;
  author: string;
  key: string;
}

/** A receipt that a client got. */
export interface Receipt {
  channelId: string;
  seq: number;
  author: string;
  messageId: string;
}

/** Every entry of a database file, by channel and seq; read by Node's own SQLite. */
export function entriesOf(path: string): FileEntry[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db
      .prepare(
        `SELECT channel_id AS channelId, seq, author, coalesce(key, '') AS key
          FROM entries JOIN channels ON channels.id = entries.channel ORDER BY channel_id, seq`,
      )
      .all();
    return rows as unknown as FileEntry[];
  } finally {
    db.close();
  }
}

/** What is wrong with a file: damage, gaps, what is stored twice, and receipts it does not hold. */
export function problemsOf(path: string, receipts: Receipt[]): string[] {
  const problems: string[] = [];
  const db = new DatabaseSync(path, { readOnly: true });
  for (const row of db.prepare("PRAGMA integrity_check").all()) {
    if (row.integrity_check !== "ok") problems.push(`integrity: ${String(row.integrity_check)}`);
  }
  db.close();
  const keys = new Set<string>();
  const places = new Map<string, FileEntry>();
  let before: FileEntry | undefined;
  for (const entry of entriesOf(path)) {
    const next = before?.channelId === entry.channelId ? before.seq + 1 : 1;
    if (entry.seq !== next) problems.push(`${entry.channelId}: ${entry.seq} where ${next} is next`);
    const key = `${entry.author} ${entry.key}`;
    if (entry.key !== "" && keys.has(key)) problems.push(`${key} is stored twice`);
    keys.add(key);
    places.set(`${entry.channelId} ${entry.seq}`, entry);
    before = entry;
  }
  for (const { channelId, seq, author, messageId } of receipts) {
    const entry = places.get(`${channelId} ${seq}`);
    if (entry?.author !== author || entry.key !== messageId) {
      problems.push(`${author} has a receipt for ${messageId} at ${channelId} ${seq}: not there`);
    }
  }
  return problems;
}
