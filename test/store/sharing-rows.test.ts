import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { StoredEntry } from "../../src/hub/entry.js";
import type { Store, Transaction } from "../../src/hub/store.js";
import {
  type BlockRow,
  MAX_BLOCK_BYTES,
  MAX_BLOCK_ENTRIES,
} from "../../src/store/sqlite/entry-block.js";
import { MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { pruneEnded } from "../../src/store/sqlite/prune.js";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";
import { aFolder } from "./a-folder.js";
import { aChannel, anEntry, appendAll, ENDED, putAll } from "./sample.js";
import { logIn, rowsIn, speak } from "./speaking.js";

/** A store in a file with the channels c1 and c2 of ada and bob. */
async function aStore(): Promise<{ path: string; store: Store }> {
  const path = join(aFolder(), "chat.db");
  const store = await openSqliteStore({ path });
  onTestFinished(() => store.close());
  await putAll(store, aChannel("c1"), aChannel("c2"));
  return { path, store };
}

/** The rows of a file, each as its channel and the seqs of its entries. */
const sharing = (path: string) =>
  rowsIn(path).map(({ channel, seq, entries }) =>
    entries === 1 ? `${channel} ${seq}` : `${channel} ${seq - entries + 1}-${seq}`,
  );

/** A message in words such as "c1 ada k1". */
function entries(words: string[], set: Partial<StoredEntry> = {}): StoredEntry[] {
  const seqs = new Map<string, number>();
  return words.map((said) => {
    const [channelId = "", author = "", key = ""] = said.split(" ");
    const seq = (seqs.get(channelId) ?? 0) + 1;
    seqs.set(channelId, seq);
    const kind = key === "end" ? "chatEnd" : "chatMessage";
    return anEntry(channelId, seq, { author, kind, key: key === "end" ? "" : key, ...set });
  });
}

test.each<[string, string[], string[]]>([
  ["that follow each other share one", ["c1 ada k1", "c1 ada k2", "c1 ada k3"], ["c1 1-3"]],
  [
    "do so where another author writes elsewhere in between, to whom the same ids are others",
    ["c1 ada k1", "c2 bob k1", "c1 ada k2", "c2 bob k2"],
    ["c1 1-2", "c2 1-2"],
  ],
  [
    "do not where another author writes in between",
    ["c1 ada k1", "c1 bob k1", "c1 ada k2"],
    ["c1 1", "c1 2", "c1 3"],
  ],
  [
    "do not where their author writes elsewhere in between",
    ["c1 ada k1", "c2 ada k2", "c1 ada k3", "c1 ada k4"],
    ["c1 1", "c2 1", "c1 2-3"],
  ],
  [
    "do not where their ids descend",
    ["c1 ada k3", "c1 ada k2", "c1 ada k1"],
    ["c1 1", "c1 2", "c1 3"],
  ],
  [
    "do so from where their ids ascend",
    ["c1 ada k2", "c1 ada k1", "c1 ada k3", "c1 ada k4"],
    ["c1 1", "c1 2", "c1 3-4"],
  ],
  ["do not where they have no ids", ["c1 ada", "c1 ada"], ["c1 1", "c1 2"]],
  [
    "do not where their ids have letters that SQLite may order otherwise",
    ["c1 ada k\u{e9}", "c1 ada k\u{ea}"],
    ["c1 1", "c1 2"],
  ],
  [
    "do not share one with the end of the chat",
    ["c1 ada k1", "c1 ada k2", "c1 ada end", "c2 ada end", "c2 ada end"],
    ["c1 1-2", "c1 3", "c2 1", "c2 2"],
  ],
])("messages %s", async (_title, words, expected) => {
  const { path, store } = await aStore();
  await appendAll(store, entries(words));
  expect(sharing(path)).toEqual(expected);
});

test("messages of two transactions do not share a row, nor those with a question in between", async () => {
  const { path, store } = await aStore();
  const [one, two, three, four] = entries(["c1 ada k1", "c1 ada k2", "c1 ada k3", "c1 ada k4"]);
  if (!one || !two || !three || !four) throw new Error("there are four");
  await appendAll(store, [one]);
  await store.transaction(async (tx) => {
    await tx.putChannel(aChannel("c1", { lastSeq: 4 }));
    await tx.append([two, three]);
    expect(await tx.entry("c1", 3)).toMatchObject({ key: "k3" });
    await tx.append([four]);
  });
  expect(sharing(path)).toEqual(["c1 1", "c1 2-3", "c1 4"]);
});

/** So many messages with ascending ids. */
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `c1 ada k${String(index).padStart(3, "0")}`);

test("no more messages share a row than can be read at once, nor larger ones", async () => {
  const { path, store } = await aStore();
  await appendAll(store, entries(many(MAX_BLOCK_ENTRIES * 2 + 1)));
  expect(sharing(path)).toEqual(["c1 1-64", "c1 65-128", "c1 129"]);

  const large = await aStore();
  const half = new Uint8Array(MAX_BLOCK_BYTES / 2);
  await appendAll(large.store, [
    ...entries(["c1 ada k1", "c1 ada k2"], { body: half }),
    ...entries(["c2 bob k1", "c2 bob k2"], { body: new Uint8Array(half.length + 1) }),
  ]);
  expect(sharing(large.path)).toEqual(["c1 1-2", "c2 1", "c2 2"]);
});

test.each([
  [["c1 ada k1", "c2 bob k1", "c1 ada k2"], "c1"],
  [["c1 ada k1", "c2 bob k1", "c1 ada k2", "c2 bob k2"], "c2"],
  [["c2 bob k1", "c1 ada k1", "c1 ada k2", "c2 bob k2"], "c2"],
])("A1: the channel used last is the one that got an entry last: %j", async (words, last) => {
  const { store } = await aStore();
  const lastUsed = async (tx: Transaction) => (await tx.mostRecentlyUsed("bob", "ada"))?.channelId;
  await store.transaction(async (tx) => {
    for (const entry of entries(words)) {
      await tx.putChannel(aChannel(entry.channelId, { lastSeq: entry.seq }));
      await tx.append([entry]);
    }
    expect(await lastUsed(tx)).toBe(last);
  });
  expect(await store.transaction(lastUsed)).toBe(last);
});

test("M2: of thousands of authors in one transaction, what one has just said is known", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  onTestFinished(() => store.close());
  await putAll(store, aChannel("c1"));
  await store.transaction(async (tx) => {
    await tx.putChannel(aChannel("c1", { lastSeq: 1 }));
    await tx.append([anEntry("c1", 1, { key: "k" })]);
    for (let author = 0; author <= 10_000; author += 1) {
      expect(await tx.entryByKey(`agent-${author}`, "chatMessage", "k")).toBeUndefined();
    }
    expect(await tx.entryByKey("ada", "chatMessage", "k")).toMatchObject({ seq: 1 });
  });
});

/** A file with blocks: three messages of ada, two of bob, one of ada under an id in between, three of ada. */
async function talked(): Promise<string> {
  const { path, store } = await aStore();
  const turns = [
    ["ada a1", "ada a2", "ada a4", "bob b1", "bob b2"],
    ["ada a3"],
    ["ada a5", "ada a6", "ada a7"],
  ];
  for (const turn of turns) {
    await store.transaction(async (tx) => {
      for (const said of turn) {
        const [author = "", key = ""] = said.split(" ");
        await speak(tx, { channelId: "c1", author, key, content: `this is ${key}` });
      }
    });
  }
  await store.transaction(async (tx) => {
    await speak(tx, { channelId: "c2", author: "bob", key: "b3", content: "and this elsewhere" });
  });
  await store.close();
  expect(sharing(path)).toEqual(["c1 1-3", "c1 4-5", "c1 6", "c1 7-9", "c2 1"]);
  return path;
}

function violations(path: string): string[] {
  const found: string[] = [];
  const { violations } = verifyDatabase(path, (violation) => found.push(violation));
  expect(violations).toBe(found.length);
  return found;
}

test("M2: an id between those of a block, and in none, is sound", async () => {
  expect(violations(await talked())).toEqual([]);
});

const first = "WHERE channel = 1 AND seq = 3";
const alone = "WHERE channel = 1 AND seq = 6";
const last = "WHERE channel = 1 AND seq = 9";

test.each<[string, RegExp]>([
  [`UPDATE entry_blocks SET first_key = 'a0' ${first}`, /block up to entry 3 has other keys/],
  [`UPDATE entry_blocks SET last_key = 'a41' ${first}`, /block up to entry 3 has other keys/],
  [`UPDATE entry_blocks SET key = 'a4' ${first}`, /block up to entry 3 has other keys/],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[1][2]', 'a0') ${first}`,
    /block up to entry 3 has other keys/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[1][2]', 'a22') ${first}`,
    /entry 2 has another key/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[1][3]', 5) ${first}`,
    /entry 2 has another timestamp/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[1][0]', 0) ${first}`,
    /entry 2 (has another seq|cannot be)|entry 3 cannot be decoded/,
  ],
  [`UPDATE entry_blocks SET heads = 'x' ${first}`, /entry 3 cannot be decoded/],
  [`UPDATE entry_blocks SET heads = '[]' ${first}`, /entry 3 cannot be decoded/],
  [`UPDATE entry_blocks SET heads = NULL ${first}`, /entry 3 stands where 1 must be/],
  [`UPDATE entry_blocks SET entry_count = 2 ${first}`, /entry 3 cannot be decoded/],
  [
    `UPDATE entry_blocks SET body = CAST(body || x'0000' AS BLOB) ${first}`,
    /block up to entry 3 has other entries/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[2][1]', 99999) ${first}`,
    /entry 3 cannot be decoded/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[0][0]', -length(body)) ${first}`,
    /entry 3 cannot be decoded/,
  ],
  [
    `UPDATE entry_blocks SET heads = json_set(heads, '$[1][4]', 7) ${first}`,
    /block up to entry 3 has other entries/,
  ],
  [
    `UPDATE entry_blocks SET addressed_by_channel = 1 - addressed_by_channel ${first}`,
    /block up to entry 3 has other entries/,
  ],
  [
    `UPDATE entry_blocks SET stored_at_ms = 1 ${first}`,
    /block up to entry 3 has another time than its last entry/,
  ],
  [`UPDATE entry_blocks SET seq = 99 ${last}`, /entry 97 stands where 7 must be/],
  [`UPDATE entry_blocks SET entry_count = 2 ${alone}`, /entry 6 is alone in its row/],
  [`UPDATE entry_blocks SET last_key = 'x' ${alone}`, /entry 6 is alone in its row/],
  [`UPDATE entry_blocks SET first_key = 'x' ${alone}`, /entry 6 is alone in its row/],
  [
    `UPDATE entry_blocks SET key = 'a2' ${alone}`,
    /key of the block up to entry 3 may be stored tw/,
  ],
  [`UPDATE entry_blocks SET first_key = 'a4' ${last}`, /block up to entry 9 may be stored twice/],
])("M2, M3: verifying finds what is wrong after: %s", async (statement, said) => {
  const path = await talked();
  const db = new Database(path);
  expect(db.prepare(statement).run().changes).toBe(1);
  db.close();
  expect(violations(path).join("\n")).toMatch(said);
});

interface MergedRow extends BlockRow {
  id: number;
}

test("verifying finds a block of more entries than are looked for", async () => {
  const { path, store } = await aStore();
  await store.transaction(async (tx) => {
    for (const said of many(MAX_BLOCK_ENTRIES + 1)) {
      await speak(tx, { channelId: "c1", author: "ada", key: said.slice(7), content: "hello" });
    }
  });
  await store.close();
  const db = new Database(path);
  const [block, one] = db.prepare<[], MergedRow>("SELECT * FROM entry_blocks ORDER BY id").all();
  if (block?.heads == null || one === undefined) throw new Error("it has a block and a single row");
  const head = [block.body.length, one.body.length, one.key, one.stored_at_ms];
  const heads = [...JSON.parse(block.heads), [...head, one.addressed_by_channel]];
  db.prepare("DELETE FROM entry_blocks WHERE id = ?").run(one.id);
  db.prepare(`UPDATE entry_blocks SET id = ?, seq = 65, entry_count = 65, last_key = ?, heads = ?,
    body = ?, stored_at_ms = ?, addressed_by_channel = ? WHERE id = ?`).run(
    ...[one.id, one.key, JSON.stringify(heads), Buffer.concat([block.body, one.body])],
    ...[one.stored_at_ms, one.addressed_by_channel, block.id],
  );
  db.close();
  expect(violations(path)).toEqual([
    "channel c1: the block up to entry 65 has entries that may not share a row",
    "channel c2: it has no entries",
  ]);
});

test("pruning counts the entries of blocks, and removes them", async () => {
  const path = await talked();
  const closed = new Database(path);
  const states = closed.prepare(
    "UPDATE channels SET state = ?, closed_at_ms = 5 WHERE channel_id = 'c1'",
  );
  states.run(ENDED);
  closed.close();
  const bytes = logIn(path)
    .filter(({ channelId }) => channelId === "c1")
    .reduce((sum, { body }) => sum + body.length, 0);
  const expected = { channels: 1, entries: 9, bytes, unread: 1 };
  expect(await pruneEnded({ path, endedBeforeMs: 6, dryRun: true })).toEqual(expected);
  expect(await pruneEnded({ path, endedBeforeMs: 6 })).toEqual(expected);
  expect(sharing(path)).toEqual(["c2 1"]);
  expect(violations(path)).toEqual([]);
});

test("M2: a file of schema version 2 keeps its entries, and those that follow share rows", async () => {
  const path = join(aFolder(), "chat.db");
  const old = new Database(path);
  await migrate(old, path, MIGRATIONS.slice(0, 2));
  old.exec(`INSERT INTO meta VALUES ('epoch', 'the same');
    INSERT INTO channels VALUES (1, 'c1', 'weather', 'ada', 'bob', 3, 5, 0, 0, 0, 0, 0, '', 0, 0, 2,
      2, 0, 0, 2, 2, 0);
    INSERT INTO entries VALUES (1, 1, 1, 4, 'ada', 'k5', 0, 5, x'01'), (2, 1, 2, 4, 'ada', 'k2', 1, 5, x'')`);
  old.close();
  const store = await openSqliteStore({ path });
  onTestFinished(() => store.close());
  const before = entries(["c1 ada k5", "c1 ada k2"], { storedAtMs: 5 });
  const set = [{ body: Buffer.from([1]) }, { body: Buffer.from([]), addressedByChannel: true }];
  const kept = before.map((entry, index) => ({ ...entry, ...set[index] }));
  const log = (tx: Transaction) => tx.entries({ channelId: "c1", limit: 9, maxBytes: 1e6 });
  expect((await store.transaction(log)).entries).toEqual(kept);
  await store.transaction(async (tx) => {
    expect(await tx.entryByKey("ada", "chatMessage", "k2")).toMatchObject({ seq: 2 });
  });
  const more = entries(["c1", "c1", "c1 ada k3", "c1 ada k6", "c1 ada k7"]).slice(2);
  await appendAll(store, more);
  expect(sharing(path)).toEqual(["c1 1", "c1 2", "c1 3", "c1 4-5"]);
  expect((await store.transaction(log)).entries.map(({ key }) => key)).toEqual([
    "k5",
    "k2",
    "k3",
    "k6",
    "k7",
  ]);
});

test("D4: a page is read without the large messages behind it", async () => {
  const { store } = await aStore();
  const body = new Uint8Array(256 * 1024);
  await appendAll(
    store,
    Array.from({ length: 70 }, (_, at) => anEntry("c1", at + 1, { key: `k${at}`, body })),
  );
  const before = process.memoryUsage().arrayBuffers;
  const most = { channelId: "c1", limit: 1, maxBytes: 1e9 };
  await store.transaction(async (tx) => {
    for (const newest of [true, false]) {
      const page = await tx.entries({ ...most, newest, beforeSeq: 3, afterSeq: 1 });
      expect(page.entries.map(({ seq }) => seq)).toEqual([2]);
      expect(page.hasMore).toBe(false);
    }
    // Of 68 others, none.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * body.length);
  });
});
