import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredEntry } from "../../src/hub/entry.js";
import type { EntryRange, Store, Transaction } from "../../src/hub/store.js";
import { MAX_BLOCK_BYTES, MAX_BLOCK_ENTRIES } from "../../src/store/sqlite/entry-block.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";
import { aFolder } from "./a-folder.js";
import { PlainLog } from "./plain-log.js";
import { aChannel, putAll } from "./sample.js";
import { logIn, type Row, rowsIn, speak } from "./speaking.js";

/** Channels and their members, the provider first. */
const CHANNELS = { c1: ["ada", "bob"], c2: ["ada", "eve"], c3: ["bob", "ada"] } as const;
type Name = keyof typeof CHANNELS;

const channel = fc.constantFrom<Name>("c1", "c2", "c3");
const side = fc.constantFrom(0, 1);
const nth = fc.nat(999);

/** Mostly few and small; else about as many, or as large, as share a row. */
const amount = fc.oneof(
  { arbitrary: fc.record({ count: fc.integer({ min: 1, max: 6 }), size: fc.nat(30) }), weight: 8 },
  {
    arbitrary: fc.record({
      count: fc.constantFrom(...[-1, 0, 1, 5].map((more) => MAX_BLOCK_ENTRIES + more)),
      size: fc.nat(20),
    }),
    weight: 1,
  },
  {
    arbitrary: fc
      .record({ count: fc.integer({ min: 1, max: 4 }), less: fc.nat(120) })
      .map(({ count, less }) => ({ count, size: Math.ceil(MAX_BLOCK_BYTES / count) - less })),
    weight: 1,
  },
);
const say = fc.record({
  do: fc.constant("say" as const),
  ...{ channel, side, amount, nth },
  ids: fc.oneof(
    { arbitrary: fc.constant("next" as const), weight: 6 },
    {
      arbitrary: fc.constantFrom("random" as const, "within" as const, "none" as const),
      weight: 2,
    },
  ),
  /** As the hub does; otherwise nothing is read before it is stored. */
  asks: fc.boolean(),
});
const most = fc.record({ limit: fc.integer({ min: 1, max: 80 }), maxBytes: fc.nat(50_000) });
const step = fc.oneof(
  { arbitrary: say, weight: 8 },
  { arbitrary: fc.record({ do: fc.constant("end" as const), channel, side, nth }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant("by key" as const), nth }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant("by seq" as const), channel, nth }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant("last used" as const) }), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      ...{ channel, most, newest: fc.boolean() },
      after: fc.option(nth, { nil: undefined }),
      before: fc.option(nth, { nil: undefined }),
      kind: fc.constantFrom(undefined, undefined, "chatMessage" as const, "chatEnd" as const),
      notBy: fc.constantFrom(undefined, undefined, "ada", "bob"),
    }),
    weight: 2,
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const turn = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8, size: "max" }),
  commits: fc.nat(6).map((dice) => dice > 0),
  /** Opens the file again before it. */
  reopens: fc.nat(5).map((dice) => dice === 0),
});

/** An entry whose bodies compare fast, whatever byte array they are. */
const shown = (entry: StoredEntry | undefined) =>
  entry && { ...entry, body: Buffer.from(entry.body).toString("latin1") };

let made = 0;
/** Ids in ascending order, whoever uses them. */
const nextId = () => `m${String(++made).padStart(9, "0")}`;

function idFor({ ids, nth }: Extract<Step, { do: "say" }>, author: string, log: PlainLog): string {
  const own = log.entries.filter((one) => one.author === author && one.key !== "");
  switch (ids) {
    case "next":
      return nextId();
    case "within":
      return `${own[nth % own.length]?.key ?? ""}.`;
    case "random":
      return `m${String(nth).padStart(9, "0")}${String(own.length % 7)}`;
    default:
      return "";
  }
}

async function sayAll(
  tx: Transaction,
  said: Extract<Step, { do: "say" }>,
  log: PlainLog,
): Promise<void> {
  const { channel: channelId, side, amount, asks } = said;
  const author = CHANNELS[channelId][side] ?? "";
  for (let count = 0; count < amount.count; count += 1) {
    const key = idFor(said, author, log);
    const first = log.byKey(author, key);
    if (key !== "" && (asks || first !== undefined)) {
      expect(shown(await tx.entryByKey(author, "chatMessage", key))).toEqual(shown(first));
      if (first !== undefined) continue;
    }
    const content = "x".repeat(amount.size);
    log.entries.push(await speak(tx, { channelId, author, key, content }));
  }
}

async function take(tx: Transaction, step: Step, log: PlainLog): Promise<void> {
  switch (step.do) {
    case "say":
      return sayAll(tx, step, log);
    case "end": {
      // Seldom, for no such channel is used last.
      if (step.nth % 5 > 0) return;
      const author = CHANNELS[step.channel][step.side] ?? "";
      log.entries.push(await speak(tx, { channelId: step.channel, author }));
      return;
    }
    case "by key": {
      const { author = "", key = "" } = log.entries[step.nth % log.entries.length] ?? {};
      for (const one of [key, `${key}!`, key.slice(0, -1)].filter((id) => id !== "")) {
        const found = await tx.entryByKey(author, "chatMessage", one);
        expect(shown(found)).toEqual(shown(log.byKey(author, one)));
      }
      return;
    }
    case "by seq": {
      const of = log.of(step.channel);
      const seq = 1 + (step.nth % (of.length + 2));
      expect(shown(await tx.entry(step.channel, seq))).toEqual(shown(of[seq - 1]));
      return;
    }
    case "last used":
      expect((await tx.mostRecentlyUsed("ada", "bob"))?.channelId).toBe(log.lastUsed(["c1", "c3"]));
      return;
    case "range": {
      const { channel: channelId, most, newest, kind, notBy } = step;
      const length = log.of(channelId).length;
      const place = (nth: number | undefined) => (nth === undefined ? nth : nth % (length + 2));
      const bounds = { afterSeq: place(step.after), beforeSeq: place(step.before) };
      const range: EntryRange = { channelId, ...bounds, ...most, newest, kind, notBy };
      const page = await tx.entries(range);
      const expected = log.range(range);
      expect(page.entries.map(shown)).toEqual(expected.entries.map(shown));
      expect(page.hasMore).toBe(expected.hasMore);
      return;
    }
    default:
      step satisfies never;
  }
}

class ChangedItsMind extends Error {}

/** Runs the turns on a store in a file and on a plain log; resolves with the file's rows. */
async function compare(turns: (typeof turn extends fc.Arbitrary<infer T> ? T : never)[]) {
  const path = join(aFolder(), "chat.db");
  let store: Store = await openSqliteStore({ path });
  const channels = Object.entries(CHANNELS).map(([name, [providerId, consumerId]]) =>
    aChannel(name, { providerId, consumerId }),
  );
  await putAll(store, ...channels);
  let log = new PlainLog();
  await store.transaction(async (tx) => {
    // A chat that begins with a message is one that nobody had to accept.
    for (const { channelId, providerId: author } of channels) {
      log.entries.push(await speak(tx, { channelId, author, key: nextId(), content: "hello" }));
    }
  });
  for (const { steps, commits, reopens } of turns) {
    if (reopens) {
      await store.close();
      store = await openSqliteStore({ path });
    }
    const after = log.copy();
    const work = store.transaction(async (tx) => {
      for (const step of steps) await take(tx, step, after);
      if (!commits) throw new ChangedItsMind();
    });
    if (commits) {
      await work;
      log = after;
    } else await expect(work).rejects.toBeInstanceOf(ChangedItsMind);
  }
  await store.close();
  const found: string[] = [];
  const result = verifyDatabase(path, (violation) => found.push(violation));
  expect(found).toEqual([]);
  expect(result.entries).toBe(log.entries.length);
  const all = Object.keys(CHANNELS).flatMap((name) => log.of(name));
  expect(logIn(path).map(shown)).toEqual(all.map(shown));
  return rowsIn(path);
}

test("M2, M3: a store answers as if each entry had a row, whichever of them share one", async () => {
  const rows: Row[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 8, size: "max" }), async (turns) => {
      rows.push(...(await compare(turns)));
    }),
    { numRuns: 60 },
  );
  // Otherwise nothing was shown about blocks.
  const blocks = rows.filter(({ entries }) => entries > 1);
  expect(blocks.length).toBeGreaterThan(rows.length / 20);
  expect(Math.max(...blocks.map(({ entries }) => entries))).toBe(MAX_BLOCK_ENTRIES);
  expect(Math.max(...blocks.map(({ bytes }) => bytes))).toBeGreaterThan(MAX_BLOCK_BYTES * 0.9);
  expect(Math.max(...blocks.map(({ bytes }) => bytes))).toBeLessThanOrEqual(MAX_BLOCK_BYTES);
}, 60_000);
