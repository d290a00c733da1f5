import Database from "better-sqlite3";
import type { Context } from "../../src/hub/context.js";
import type { NewFrame, StoredEntry } from "../../src/hub/entry.js";
import type { Transaction } from "../../src/hub/store.js";
import { write } from "../../src/hub/write.js";
import { sentMessageOf } from "../../src/protocol/sent-message.js";
import { ChatEnd, ChatMessage } from "../../src/protocol/wire.js";

/** What an agent says in a channel; with no content it ends the chat. */
export interface Words {
  channelId: string;
  author: string;
  key?: string;
  content?: string;
}

/** Stores what is said as the hub's core does, so that it passes for a hub's; resolves with its entry. */
export async function speak(tx: Transaction, said: Words): Promise<StoredEntry> {
  const { channelId, author, key = "", content } = said;
  const channel = await tx.channel(channelId);
  if (channel === undefined) throw new Error(`there is no channel ${channelId}`);
  const written: Context["written"] = [];
  const nowMs = () => 1_795_000_000_000 + channel.lastSeq;
  const context = { tx, env: { nowMs }, written } as unknown as Context;
  const frame: NewFrame =
    content === undefined
      ? { $case: "chatEnd", value: ChatEnd.fromPartial({ channelId }) }
      : { $case: "chatMessage", value: sentMessageOf(ChatMessage.fromPartial({ content })) };
  const addressedByChannel = channel.lastSeq % 3 === 0;
  await write(context, channel, { author, key, frame, addressedByChannel });
  const [one] = written;
  if (one === undefined) throw new Error("nothing was written");
  return one.entry;
}

/** One row of what a file has, by its last entry. */
export interface Row {
  channel: string;
  seq: number;
  entries: number;
  bytes: number;
}

/** The rows of a file, in the order in which they were stored. */
export function rowsIn(path: string): Row[] {
  return query<Row>(
    path,
    `SELECT channel_id AS channel, seq, entry_count AS entries, length(body) AS bytes
      FROM entry_blocks JOIN channels ON channels.id = channel ORDER BY entry_blocks.id`,
  );
}

/** The log as the view shows it, by channel and seq. */
export function logIn(path: string): StoredEntry[] {
  return query<Omit<StoredEntry, "addressedByChannel"> & { addressed: number }>(
    path,
    `SELECT channel_id AS channelId, seq, author, coalesce(key, '') AS key, body,
        CASE kind WHEN 4 THEN 'chatMessage' WHEN 5 THEN 'chatEnd' END AS kind,
        addressed_by_channel AS addressed, stored_at_ms AS storedAtMs
      FROM entries JOIN channels ON channels.id = channel ORDER BY channel_id, seq`,
  ).map(({ addressed, ...entry }) => ({ ...entry, addressedByChannel: addressed === 1 }));
}

function query<T>(path: string, sql: string): T[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
}
