import fc from "fast-check";
import { expect, test } from "vitest";
import { greatestKeys } from "../../src/store/sqlite/greatest-keys.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aChannel, anEntry, appendAll, putAll } from "./sample.js";

const key = fc.oneof(
  fc.uuid({ version: [4, 7] }),
  fc.string({ minLength: 1, maxLength: 4 }),
  // Letters whose order differs between UTF-8 and JavaScript's own.
  fc.string({
    unit: fc.constantFrom("a", "\u{e9}", "\u{ffff}", "\u{1f600}"),
    minLength: 1,
    maxLength: 3,
  }),
);
const write = fc.record({
  author: fc.constantFrom("ada", "bob"),
  keys: fc.array(key, { minLength: 1, maxLength: 4 }),
  commits: fc.boolean(),
  /** Otherwise the store is first asked about an author of whom it has entries. */
  asks: fc.boolean(),
});

test("M2: a key is found if and only if it was stored, in whatever order keys come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
      const store = await openSqliteStore({ path: ":memory:" });
      await putAll(store, aChannel("c1"));
      const stored = new Map<string, number>();
      let seq = 0;
      for (const { author, keys, commits, asks } of writes) {
        const added = new Map<string, number>();
        const transaction = store.transaction(async (tx) => {
          for (const key of keys) {
            const name = `${author} ${key}`;
            const expected = stored.get(name) ?? added.get(name);
            if (asks || expected !== undefined) {
              expect((await tx.entryByKey(author, "chatMessage", key))?.seq).toBe(expected);
            }
            if (expected !== undefined) continue;
            const place = seq + added.size + 1;
            const channel = aChannel("c1", { lastSeq: place });
            await tx.putChannel(channel);
            await tx.append([anEntry("c1", place, { author, key })]);
            added.set(name, place);
          }
          if (!commits) throw new Error("changed its mind");
        });
        if (!commits) {
          await expect(transaction).rejects.toThrow("changed its mind");
          continue;
        }
        await transaction;
        for (const [name, place] of added) stored.set(name, place);
        seq += added.size;
      }
      await store.close();
    }),
    { numRuns: 300 },
  );
});

test("M2: a key is found whose place in SQLite's order is not the one in JavaScript's", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  await putAll(store, aChannel("c1"));
  // In UTF-8 the second is greater, in UTF-16 the first.
  await appendAll(store, [
    anEntry("c1", 1, { key: "\u{ffff}" }),
    anEntry("c1", 2, { key: "\u{1f600}" }),
  ]);
  await store.transaction(async (tx) => {
    expect((await tx.entryByKey("ada", "chatMessage", "\u{ffff}"))?.seq).toBe(1);
  });
  await store.close();
});

test("keys that ascend need no search, and one question for each author", () => {
  let asked = 0;
  const keys = greatestKeys(() => {
    asked += 1;
    return "m";
  });
  expect(keys.isNew("ada", "n")).toBe(true);
  expect(keys.note("ada", "n")).toBe("m");
  expect(keys.isNew("ada", "n")).toBe(false);
  expect(keys.isNew("ada", "o")).toBe(true);
  expect(keys.isNew("ada", "l")).toBe(false);
  expect(keys.note("ada", "l")).toBeUndefined();
  expect(keys.note("ada", "o")).toBe("n");
  // Letters beyond ASCII have another order in SQLite: of them nothing is certain.
  expect(keys.note("ada", "p\u{e9}")).toBeUndefined();
  expect(keys.note("ada", "q")).toBe("p\u{e9}");
  expect(asked).toBe(1);
  expect(keys.isNew("bob", "n")).toBe(true);
  expect(asked).toBe(2);
});

test("many authors are forgotten when a transaction begins, and asked about again", () => {
  const asked: string[] = [];
  const keys = greatestKeys((author) => {
    asked.push(author);
    return "";
  });
  for (let author = 1; author <= 10_000; author += 1) keys.isNew(`agent-${author}`, "k");
  keys.begin();
  expect(keys.isNew("agent-1", "k")).toBe(true);
  expect(asked).toHaveLength(10_000);
  // Until the next one begins, what is known is of entries that the database cannot know yet.
  keys.note("agent-10001", "k");
  expect(keys.isNew("agent-10002", "k")).toBe(true);
  expect(keys.isNew("agent-10001", "k")).toBe(false);
  expect(asked).toHaveLength(10_002);
  keys.begin();
  expect(keys.isNew("agent-1", "k")).toBe(true);
  expect(asked).toHaveLength(10_003);
});
