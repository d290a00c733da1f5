import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHANNEL_SQL } from "../../src/store/sqlite/channel-queries.js";
import { ENTRY_SQL } from "../../src/store/sqlite/entry-rows.js";
import { prepareDatabase } from "../../src/store/sqlite/prepare-database.js";
import { PRUNE_SQL } from "../../src/store/sqlite/prune.js";

const db = new Database(":memory:");
beforeAll(async () => {
  await prepareDatabase(db, ":memory:");
});
afterAll(() => void db.close());

/** How SQLite says it would answer a statement, a step a line. */
function plan(sql: string): string[] {
  // Unnamed parameters, since each value must be bound and the plan does not depend on it.
  const unnamed = sql.replaceAll(/@\w+/g, "?");
  const values = Array.from(unnamed.matchAll(/\?/g), () => null);
  const steps = db.prepare<null[], { detail: string }>(`EXPLAIN QUERY PLAN ${unnamed}`);
  return steps.all(...values).map((step) => step.detail);
}

const byIndex: [string, string, RegExp][] = [
  ["newestOfProvider", CHANNEL_SQL.newestOfProvider, /channels_of_provider_by_service .*state=\?/],
  ["newestOfConsumer", CHANNEL_SQL.newestOfConsumer, /channels_of_consumer_by_service .*state=\?/],
  ["mostRecentlyUsed", CHANNEL_SQL.mostRecentlyUsed, /channels_active .*consumer_id=\?/],
  ["pendingOfProvider", CHANNEL_SQL.pendingOfProvider, /channels_pending_of_provider/],
  ["pendingOfPair", CHANNEL_SQL.pendingOfPair, /channels_pending_of_consumer .*provider_id=\?/],
  ["newestAnswered", CHANNEL_SQL.newestAnswered, /channels_answered .*consumer_id=\?/],
  ["countPending", CHANNEL_SQL.countPending, /channels_pending_of_consumer/],
  ["countActive", CHANNEL_SQL.countActive, /channels_of_provider_by_service .*state=\?/],
  ["countUnended", CHANNEL_SQL.countUnended, /channels_unended_of_consumer/],
  ["listOfAll", CHANNEL_SQL.listOfAll, /SEARCH channels .*rowid<\?/],
  ["listOfProvider", CHANNEL_SQL.listOfProvider, /channels_of_provider .*rowid<\?/],
  ["listOfConsumer", CHANNEL_SQL.listOfConsumer, /channels_of_consumer .*rowid<\?/],
  ["behind", CHANNEL_SQL.behind, /channels_provider_behind/],
  ["behind", CHANNEL_SQL.behind, /channels_consumer_behind/],
  ["idOf", CHANNEL_SQL.idOf, /channel_id=\?/],
  ["byId", CHANNEL_SQL.byId, /INTEGER PRIMARY KEY/],
  ["channel by name", "SELECT * FROM channels WHERE channel_id = @name", /channel_id=\?/],
  ["entry by key", ENTRY_SQL.byKey, /entries_by_key .*key=\?/],
  ["greatest key", ENTRY_SQL.greatestKey, /entries_by_key .*kind=\? AND key>\?/],
  ["block by key", ENTRY_SQL.blockByKey, /blocks_by_key \(author=\? AND last_key>\?\)/],
  ["block by key", ENTRY_SQL.blockByKey, /SEARCH entry_blocks USING INTEGER PRIMARY KEY/],
  ["greatest block key", ENTRY_SQL.greatestBlockKey, /blocks_by_key .*author=\? AND last_key>\?/],
  ["entry by seq", ENTRY_SQL.bySeq, /channel=\? AND seq>\?/],
  ["oldest entries", ENTRY_SQL.oldest, /channel=\? AND seq>\? AND seq<\?/],
  ["prune candidates", PRUNE_SQL.candidates, /SEARCH channels .*rowid>\?/],
  ["prune candidates", PRUNE_SQL.candidates, /SEARCH entry_blocks .*channel=\?/],
  ["prune entries", PRUNE_SQL.removeEntries, /SEARCH entry_blocks .*channel=\?/],
  ["prune channel", PRUNE_SQL.removeChannel, /rowid=\?/],
  ["newest entries", ENTRY_SQL.newest, /channel=\? AND seq>\? AND seq<\?/],
];

test.each(byIndex)("%s is answered by an index, in its order", (_name, sql, index) => {
  const steps = plan(sql);
  expect(steps.join("\n")).toMatch(index);
  // A SCAN reads a whole table or index, a temporary B-tree sorts all that was found.
  expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
});

test("all pending requests are read from an index that holds no others", () => {
  expect(plan(CHANNEL_SQL.allPending).join("\n")).toMatch(
    /SCAN channels USING INDEX channels_pending/,
  );
});
