import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { pruneEnded } from "../../src/store/sqlite/prune.js";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";
import { chatsOfAHub } from "./chats-of-a-hub.js";
import { aChannel, ENDED, putAll, say } from "./sample.js";

const chats = chatsOfAHub();
const LATER = Date.now() + 86_400_000;

function channelIds(): string[] {
  const db = new Database(chats.path, { readonly: true });
  const ids = db.prepare<[], string>("SELECT channel_id FROM channels").pluck().all();
  db.close();
  return ids;
}

/** What is wrong with the database. */
function violations(): string[] {
  const found: string[] = [];
  verifyDatabase(chats.path, (violation) => found.push(violation));
  return found;
}

test("pruning removes whole rejected and ended channels, and nothing else", async () => {
  const before = channelIds();
  const result = await pruneEnded({ path: chats.path, endedBeforeMs: LATER });
  expect(result).toEqual({
    ...{ channels: 2, entries: 25, unread: 1 },
    bytes: expect.toSatisfy((bytes: number) => bytes > 20_000 && bytes < 30_000),
  });
  const gone = new Set([chats.ended, chats.rejected]);
  expect(channelIds()).toEqual(before.filter((id) => !gone.has(id)));
  expect(violations()).toEqual([]);
  const again = await pruneEnded({ path: chats.path, endedBeforeMs: LATER });
  expect(again).toEqual({ channels: 0, entries: 0, bytes: 0, unread: 0 });
});

test("it leaves what ended later, and what it is told to leave", async () => {
  const before = channelIds();
  const db = new Database(chats.path);
  const endedAtMs = 1_000_000;
  db.prepare("UPDATE channels SET closed_at_ms = ? WHERE channel_id = ?").run(
    endedAtMs,
    chats.ended,
  );
  db.close();
  const { path } = chats;
  expect((await pruneEnded({ path, endedBeforeMs: endedAtMs })).channels).toBe(0);
  const dry = await pruneEnded({ path, endedBeforeMs: LATER, dryRun: true });
  expect(dry).toMatchObject({ channels: 2, unread: 1 });
  expect(channelIds()).toEqual(before);
  // The reject has not been read by the one who asked.
  const read = await pruneEnded({ path, endedBeforeMs: LATER, keepUnread: true });
  expect(read).toMatchObject({ channels: 1, unread: 0 });
  expect(channelIds()).toContain(chats.rejected);
});

test("it goes on through more channels than one transaction takes", async () => {
  const store = await openSqliteStore({ path: chats.path });
  const many = Array.from({ length: 450 }, (_, index) =>
    aChannel(`many-${index}`, { state: ENDED, closedAtMs: 5 }),
  );
  await putAll(store, ...many);
  for (let count = 0; count < 1_100; count += 1) await say(store, "many-7");
  await say(store, "many-449");
  await store.close();
  const result = await pruneEnded({ path: chats.path, endedBeforeMs: 6 });
  expect(result).toMatchObject({ channels: 450, entries: 1_101 });
  expect(violations()).toEqual([]);
});
