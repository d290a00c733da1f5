import { DatabaseSync } from "node:sqlite";
import type { Said } from "../syscalls/load.ts";
import type { ToldEntry } from "../syscalls/told-entries.ts";

/** What is wrong with a database, in sentences. */
export interface Findings {
  /** Entries that the hub had told of and that are not there, or are others. */
  lost: string[];
  /** Channels whose seqs are not 1, 2, 3, … up to what the channel says. */
  gaps: string[];
  /** What SQLite says of the file itself. */
  damaged: string[];
}

/** What the file must hold. */
export interface Expected {
  told: readonly ToldEntry[];
  said: Said;
  /** The store_epoch that sessions were told, where one was. */
  epoch: string | undefined;
}

/** Reads a database that nobody else has open, with code that is not the hub's. */
export function checkRecoveredLog(path: string, { told, said, epoch }: Expected): Findings {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const damaged = db.prepare("PRAGMA integrity_check").all().map(firstValue);
    const bodies = readBodies(db);
    const lost = told.flatMap(({ by, token, channelId, seq }) => {
      const body = bodies.get(channelId)?.get(seq);
      if (body?.includes(said.get(token) ?? "")) return [];
      return [`${token} (${by}; ${channelId}, ${seq}) ${body ? "is another entry" : "is lost"}`];
    });
    const found = db.prepare("SELECT value FROM meta WHERE name = 'epoch'").get()?.value;
    if (epoch !== undefined && found !== epoch) lost.push(`the epoch is ${found}, not ${epoch}`);
    return { lost, gaps: gapsIn(db, bodies), damaged: damaged.filter((line) => line !== "ok") };
  } finally {
    db.close();
  }
}

/** Encoded frames by channel and seq. */
function readBodies(db: DatabaseSync): Map<string, Map<number, Buffer>> {
  const bodies = new Map<string, Map<number, Buffer>>();
  const rows = db.prepare(
    "SELECT channel_id, seq, body FROM entries JOIN channels ON channels.id = entries.channel",
  );
  for (const { channel_id, seq, body } of rows.iterate()) {
    const channel = bodies.get(String(channel_id)) ?? new Map<number, Buffer>();
    bodies.set(String(channel_id), channel);
    channel.set(Number(seq), Buffer.from(body as Uint8Array));
  }
  return bodies;
}

function gapsIn(db: DatabaseSync, bodies: Map<string, Map<number, Buffer>>): string[] {
  const channels = db.prepare("SELECT channel_id, last_seq FROM channels").all();
  return channels.flatMap(({ channel_id, last_seq }) => {
    const seqs = bodies.get(String(channel_id)) ?? new Map();
    const whole = Array.from({ length: Number(last_seq) }, (_, index) => seqs.has(index + 1));
    if (whole.every(Boolean) && seqs.size === whole.length) return [];
    return [`${channel_id} holds ${[...seqs.keys()].join(" ")} and says ${last_seq}`];
  });
}

function firstValue(row: Record<string, unknown>): string {
  return String(Object.values(row)[0]);
}
