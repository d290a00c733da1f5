import { existsSync, readFileSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";
import { chatsOfAHub } from "./chats-of-a-hub.js";

const chats = chatsOfAHub();

function verify() {
  const found: string[] = [];
  return { result: verifyDatabase(chats.path, (violation) => found.push(violation)), found };
}

test("a database that a hub left is sound, whatever became of its chats", () => {
  const { result, found } = verify();
  expect(found).toEqual([]);
  expect(result).toMatchObject({ channels: 6, entries: 31, services: 1, violations: 0 });
  expect(result.epoch).not.toBe("");
  expect(existsSync(`${chats.path}-wal`)).toBe(false);
});

const message = "kind = 4 AND channel = (SELECT id FROM channels WHERE channel_id = @ended)";
const ended = "WHERE channel_id = @ended";

/** Something wrong, and what is said of it. */
const WRONGS: [string, RegExp][] = [
  [`DELETE FROM entry_blocks WHERE seq = 5 AND ${message}`, /entry 6 stands where 5 must be/],
  [`DELETE FROM entry_blocks WHERE seq = 23`, /its endSeq is not what its entries make of it/],
  [`UPDATE channels SET last_seq = last_seq + 1 ${ended}`, /its last_seq is 24, of 23 entries/],
  [`UPDATE channels SET state = 3 ${ended}`, /its state is not/],
  [`UPDATE channels SET closed_at_ms = 1 ${ended}`, /its closedAtMs is not/],
  [`UPDATE channels SET reason = 'x' ${ended}`, /its reason is not/],
  [`UPDATE channels SET timeout_ms = 1 WHERE channel_id = @pending`, /its timeoutMs is not/],
  [`UPDATE channels SET consumer_position = 99 ${ended}`, /position is 99, of 23 entries/],
  [`UPDATE channels SET consumer_position = 20 ${ended}`, /read everything.*is 20, not 23/],
  [`UPDATE channels SET provider_due = 3 ${ended}`, /the provider's due/],
  [`UPDATE channels SET last_used = 1 ${ended}`, /order of use/],
  [`UPDATE channels SET answered_order = 1 ${ended}`, /order of answers/],
  [
    `UPDATE entry_blocks SET body = x'ff' WHERE seq = 4 AND ${message}`,
    /entry 4 cannot be decoded/,
  ],
  [`UPDATE entry_blocks SET kind = 9 WHERE seq = 4 AND ${message}`, /entry 4 cannot be decoded/],
  [`UPDATE entry_blocks SET key = 'x' WHERE seq = 4 AND ${message}`, /entry 4 has another key/],
  [`UPDATE entry_blocks SET author = 'eve' WHERE seq = 4 AND ${message}`, /another author/],
  [`UPDATE entry_blocks SET stored_at_ms = 1 WHERE seq = 4 AND ${message}`, /another timestamp/],
  [`UPDATE entry_blocks SET seq = 99 WHERE seq = 23`, /entry 99 has another seq/],
  [`UPDATE channels SET channel_id = 'ch_x' ${ended}`, /another channel_id/],
  [`DELETE FROM channels ${ended}`, /of entry_blocks refers to nothing/],
  [`DELETE FROM entry_blocks WHERE kind = 4 AND key = 'key'`, /it has no entries/],
  [`UPDATE services SET open_channel_id = @ended`, /service weather: its open channel/],
  [`DELETE FROM services`, /it is open, and no service names it/],
  [`DELETE FROM meta`, /no epoch/],
];

test.each(WRONGS)("it finds what is wrong after: %s", (statement, said) => {
  const db = new Database(chats.path);
  db.pragma("foreign_keys = OFF");
  const { changes } = db
    .prepare<[Record<string, string>]>(statement)
    .run({ ended: chats.ended, pending: chats.pending });
  db.close();
  expect(changes).toBeGreaterThan(0);
  const { result, found } = verify();
  expect(found.join("\n")).toMatch(said);
  expect(result.violations).toBe(found.length);
});

test("it finds an index that does not fit its table", () => {
  const db = new Database(chats.path);
  db.unsafeMode();
  db.pragma("writable_schema = ON");
  db.exec(
    "UPDATE sqlite_schema SET sql = replace(sql, '= 2', '= 3') WHERE name LIKE '%_pending_%'",
  );
  db.close();
  expect(verify().found.join("\n")).toMatch(/integrity: .*channels_pending_of/);
});

test("a damaged page is a violation, and the file stays as it is", () => {
  const bytes = readFileSync(chats.path);
  bytes.fill(0xa5, bytes.length - 8192, bytes.length - 4096);
  writeFileSync(chats.path, bytes);
  expect(verify().result.violations).toBeGreaterThan(0);
  expect(readFileSync(chats.path).equals(bytes)).toBe(true);
});
