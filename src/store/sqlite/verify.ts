import type { Database } from "better-sqlite3";
import { ChannelState } from "../../protocol/wire.js";
import type { ChannelRow } from "./channel-rows.js";
import { openExisting } from "./existing-database.js";
import { verifyChannel } from "./verify-channel.js";

/** What was looked at. */
export interface VerifyResult {
  epoch: string;
  pages: number;
  bytes: number;
  channels: number;
  entries: number;
  services: number;
  violations: number;
}

/** Says one thing that is not as it must be; never message contents. */
export type Report = (violation: string) => void;

const CHANNELS_AT_ONCE = 256;
const INTEGRITY_LINES = 100;

/**
 * Reads a whole database as it is at one moment, beside a hub or without one, and holds it
 * against what must be true of it: SQLite's own integrity, and that each channel is what its
 * entries make of it.
 * @param report is told of each violation
 * @throws StoreOpenError when there is no database of this program that can be opened
 */
export function verifyDatabase(path: string, report: Report): VerifyResult {
  const db = openExisting(path, "read");
  const result = {
    epoch: "",
    pages: 0,
    bytes: 0,
    channels: 0,
    entries: 0,
    services: 0,
    violations: 0,
  };
  const found: Report = (violation) => {
    result.violations += 1;
    report(violation);
  };
  try {
    db.exec("BEGIN");
    result.pages = Number(db.pragma("page_count", { simple: true }));
    result.bytes = result.pages * Number(db.pragma("page_size", { simple: true }));
    verifyEngine(db, found);
    result.epoch = epochOf(db) ?? "";
    if (result.epoch === "") found("the database has no epoch");
    verifyLogs(db, result, found);
    verifyKeys(db, found);
    result.services = verifyServices(db, found);
  } catch (error) {
    found(`reading stopped: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    db.close();
  }
  return result;
}

function verifyEngine(db: Database, found: Report): void {
  const lines = db.pragma(`integrity_check(${INTEGRITY_LINES})`) as { integrity_check: string }[];
  for (const { integrity_check: line } of lines) if (line !== "ok") found(`integrity: ${line}`);
  const strays = db.pragma("foreign_key_check") as { table: string; rowid: number }[];
  for (const { table, rowid } of strays) found(`row ${rowid} of ${table} refers to nothing`);
}

function epochOf(db: Database): string | undefined {
  return db.prepare<[], string>("SELECT value FROM meta WHERE name = 'epoch'").pluck().get();
}

function verifyLogs(
  db: Database,
  result: { channels: number; entries: number },
  found: Report,
): void {
  const page = db.prepare<[number, number], ChannelRow>(
    "SELECT * FROM channels WHERE id > ? ORDER BY id LIMIT ?",
  );
  for (let after = 0; ; ) {
    const rows = page.all(after, CHANNELS_AT_ONCE);
    for (const row of rows) {
      result.channels += 1;
      result.entries += verifyChannel(db, row, found);
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** What is stored under a key is stored once (M2); of single entries the index sees to it. */
function verifyKeys(db: Database, found: Report): void {
  const overlapping = `SELECT 1 FROM entry_blocks AS other WHERE other.author = entry_blocks.author
    AND other.last_key >= entry_blocks.first_key AND other.last_key < entry_blocks.last_key`;
  const single = `SELECT 1 FROM entry_blocks AS other, json_each(entry_blocks.heads) AS head
    WHERE other.author = entry_blocks.author AND other.kind = entry_blocks.kind
    AND other.key BETWEEN entry_blocks.first_key AND entry_blocks.last_key
    AND other.key = head.value ->> 2`;
  const wrong = db
    .prepare<[], { channel_id: string; seq: number }>(
      `SELECT channel_id, seq FROM entry_blocks JOIN channels ON channels.id = channel
        WHERE last_key IS NOT NULL AND (EXISTS (${overlapping}) OR EXISTS (${single}))`,
    )
    .all();
  for (const { channel_id, seq } of wrong) {
    found(`channel ${channel_id}: a key of the block up to entry ${seq} may be stored twice`);
  }
}

/** A registered service has exactly one open channel, which it names (S1). */
function verifyServices(db: Database, found: Report): number {
  const wrong = db
    .prepare<[number], string>(
      `SELECT service_id FROM services WHERE NOT EXISTS (SELECT 1 FROM channels
        WHERE channel_id = services.open_channel_id AND state = ?
        AND service_id = services.service_id AND provider_id = services.provider_id)`,
    )
    .pluck();
  for (const id of wrong.all(ChannelState.CHANNEL_STATE_OPEN)) {
    found(`service ${id}: its open channel is not there`);
  }
  const stray = db
    .prepare<[number], string>(
      `SELECT channel_id FROM channels WHERE state = ?
        AND channel_id NOT IN (SELECT open_channel_id FROM services)`,
    )
    .pluck();
  for (const id of stray.all(ChannelState.CHANNEL_STATE_OPEN)) {
    found(`channel ${id}: it is open, and no service names it`);
  }
  return db.prepare<[], number>("SELECT count(*) FROM services").pluck().get() ?? 0;
}
