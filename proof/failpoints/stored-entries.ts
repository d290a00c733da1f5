import { DatabaseSync } from "node:sqlite";
import { ChatMessage } from "claw-chat-hub/protocol";

/** An entry that has a receipt. */
export interface Acked {
  channelId: string;
  seq: number;
  messageId: string;
  content: string;
}

/** What is wrong with a file, of what a receipt was given for; each finding has its kind in front. */
export function missingIn(db: string, acked: readonly Acked[]): string[] {
  const found: string[] = [];
  const file = new DatabaseSync(db, { readOnly: true });
  try {
    const healthy = file.prepare("PRAGMA integrity_check").get();
    if (healthy?.integrity_check !== "ok") found.push(`lost: ${JSON.stringify(healthy)}`);
    const entry = file.prepare(
      `SELECT body FROM entries JOIN channels ON channels.id = entries.channel
        WHERE channel_id = ? AND seq = ? AND kind = 4`,
    );
    for (const { channelId, seq, messageId, content } of acked) {
      const row = entry.get(channelId, seq);
      const where = `${channelId} seq ${seq}`;
      if (!(row?.body instanceof Uint8Array)) {
        found.push(`lost: ${where} has a receipt and is not in the file`);
        continue;
      }
      const stored = ChatMessage.decode(row.body);
      if (stored.messageId !== messageId || stored.content !== content) {
        found.push(`lost: ${where} has a receipt for ${messageId} and holds ${stored.messageId}`);
      }
    }
    const broken = file.prepare(
      `SELECT channel_id, count(*) AS entries, max(seq) AS last FROM entries
        JOIN channels ON channels.id = entries.channel
        GROUP BY channel HAVING count(*) <> max(seq) OR max(seq) <> last_seq`,
    );
    for (const row of broken.all()) found.push(`gaps: ${JSON.stringify(row)}`);
    const twice = file.prepare(
      `SELECT author, key, count(*) AS times FROM entries WHERE key IS NOT NULL
        GROUP BY author, kind, key HAVING count(*) > 1`,
    );
    for (const row of twice.all()) found.push(`duplicated: ${JSON.stringify(row)}`);
  } finally {
    file.close();
  }
  return found;
}
