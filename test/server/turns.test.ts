import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { sendMessage } from "../../src/hub/message.js";
import {
  StorageError,
  type StorageTrouble,
  type Store,
  type Transaction,
} from "../../src/hub/store.js";
import { sentMessageOf } from "../../src/protocol/sent-message.js";
import { ChatMessage } from "../../src/protocol/wire.js";
import { startHub } from "../../src/server/hub.js";
import { createTurns } from "../../src/server/turns.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";

afterEach(closeAgents);

const env = {
  nowMs: Date.now,
  newId: (prefix: string) => `${prefix}_${randomUUID()}`,
  isOnline: () => false,
  directChats: true,
  agentsMustBeKnown: false,
  maxPendingRequests: 1,
  maxChannels: 0,
};

/** Turns that tell nobody but whoever asks. */
function turnsOn(store: Store, told: { deliver?: () => void; settled?: () => void } = {}) {
  const log = pino({ level: "silent" });
  const nobody = () => {};
  const { deliver = nobody, settled = nobody } = told;
  return createTurns({ store, env, log, deliver, progressed: nobody, denied: nobody, settled });
}

/** The real store, which says when it commits, and does not commit while `failing`. */
async function watchedStore(events: string[]): Promise<Store & { failing: boolean }> {
  const store = await openSqliteStore({ path: ":memory:" });
  const watched = {
    epoch: store.epoch,
    durable: store.durable,
    failed: store.failed,
    changedElsewhere: () => store.changedElsewhere(),
    close: () => store.close(),
    failing: false,
    async transaction<T>(
      work: (tx: Transaction) => Promise<T>,
      readOnly?: StorageError,
    ): Promise<T> {
      const result = await store.transaction(async (tx) => {
        const done = await work(tx);
        if (readOnly !== undefined) return done;
        events.push("commit begins");
        if (watched.failing) throw new StorageError("the disk is gone");
        return done;
      }, readOnly);
      if (readOnly !== undefined) return result;
      events.push("committed");
      return result;
    },
  };
  return watched;
}

test("M1: neither a receipt nor a delivery leaves before the commit has returned", async () => {
  const events: string[] = [];
  const store = await watchedStore(events);
  const turns = turnsOn(store, {
    deliver: () => events.push("delivery"),
    settled: () => events.push("settled"),
  });
  const message = sentMessageOf(ChatMessage.fromPartial({ targetAgent: "bob", content: "x" }));
  const submit = () =>
    turns.submit({
      run: (context) => sendMessage(context, "alice", message),
      done: (answer) => events.push(answer.kind),
      failed: ({ reason }) => events.push(reason),
    });
  submit();
  await turns.idle();
  expect(events).toEqual(["commit begins", "committed", "receipt", "delivery", "settled"]);
  events.length = 0;
  store.failing = true;
  submit();
  await turns.idle();
  expect(events).toEqual(["commit begins", "STORAGE_UNAVAILABLE", "settled"]);
  await store.close();
});

test("M1: when a commit fails, sender and peer hear of nothing, and the same again is stored", async () => {
  const store = await watchedStore([]);
  const hub = await startHub({ store, listen: "127.0.0.1:0" });
  const alice = openAgent(hub.address, "alice");
  const bob = openAgent(hub.address, "bob", "manual");
  await bob.next("sessionStarted");
  store.failing = true;
  const frame = {
    $case: "chatMessage",
    value: { targetAgent: "bob", messageId: "m", content: "x" },
  } as const;
  expect(await alice.refusal(frame)).toBe("STORAGE_UNAVAILABLE");
  store.failing = false;
  await bob.settled();
  expect(bob.responses.some((one) => one.frame?.$case === "chatMessage")).toBe(false);
  expect(await alice.store(frame)).toMatchObject({ seq: 1n, duplicate: false });
  await bob.next("chatMessage");
  await closeAgents();
  await hub.stop();
  await store.close();
});

/** A store that reads, and commits nothing; what it refuses is given with `kind`. */
async function storeWithout(kind: StorageTrouble): Promise<Store> {
  const store = await openSqliteStore({ path: ":memory:" });
  const broken = new StorageError("no", { kind });
  return {
    ...store,
    transaction: (work, readOnly) =>
      kind === "fatal"
        ? Promise.reject(broken)
        : store.transaction(async (tx) => {
            const result = await work(tx);
            if (readOnly === undefined) throw broken;
            return result;
          }, readOnly),
  };
}

test.each([
  ["unavailable", "STORAGE_UNAVAILABLE", "read"],
  ["full", "STORAGE_FULL", "read"],
  ["fatal", "STORAGE_UNAVAILABLE", "STORAGE_UNAVAILABLE"],
] as const)(
  "M1: where storing is %s, what would write gets %s and what reads is told: %s",
  async (kind, refusal, reading) => {
    const store = await storeWithout(kind);
    const told: string[] = [];
    const turns = turnsOn(store, {
      deliver: () => told.push("delivery"),
      settled: () => told.push("settled"),
    });
    const failed = ({ reason }: { reason: string }) => told.push(reason);
    const message = sentMessageOf(ChatMessage.fromPartial({ targetAgent: "bob", content: "x" }));
    turns.submit({
      run: ({ tx }) => tx.allPending(),
      done: () => told.push("read"),
      failed,
    });
    turns.submit({
      run: (context) => sendMessage(context, "alice", message),
      done: ({ kind: answer }) => told.push(answer),
      failed,
    });
    turns.submit({
      run: ({ tx }) => tx.channelsBehind("bob"),
      done: (behind) => told.push(behind.length === 0 ? "read" : "behind"),
      failed,
    });
    await turns.idle();
    expect(told).toEqual([reading, refusal, reading, "settled"]);
    await store.close();
  },
);

/** The real store, except that looking up the message id "boom" is a fault of the program. */
async function faultyStore(): Promise<Store & { transactions: number }> {
  const store = await openSqliteStore({ path: ":memory:" });
  const faulty = {
    epoch: store.epoch,
    durable: store.durable,
    failed: store.failed,
    changedElsewhere: () => store.changedElsewhere(),
    close: () => store.close(),
    transactions: 0,
    transaction<T>(work: (tx: Transaction) => Promise<T>, readOnly?: StorageError): Promise<T> {
      faulty.transactions += 1;
      return store.transaction(
        (tx) =>
          work({
            ...tx,
            entryByKey: (author, kind, key) => {
              if (key === "boom") throw new TypeError("a fault");
              return tx.entryByKey(author, kind, key);
            },
          }),
        readOnly,
      );
    },
  };
  return faulty;
}

test("M5: a fault of the hub refuses the one frame as INTERNAL; the others of its turn are stored", async () => {
  const store = await faultyStore();
  const hub = await startHub({ store, listen: "127.0.0.1:0" });
  const agent = openAgent(hub.address, "alice");
  const send = (messageId: string) =>
    agent.ask({
      $case: "chatMessage",
      value: { targetAgent: "bob", messageId, content: messageId },
    });
  const answers = await Promise.all(["a", "boom", "b"].map(send));
  expect(answers[1]?.frame).toMatchObject({ $case: "error", value: { reason: "INTERNAL" } });
  expect(answers[0]?.receipts[0]).toMatchObject({ messageId: "a", seq: 1n });
  expect(answers[2]?.receipts[0]).toMatchObject({ messageId: "b", seq: 2n });
  await agent.settled();
  await hub.stop();
  await store.close();
});

test("M1: everything submitted in one turn is one transaction, told in order after its commit", async () => {
  const store = await faultyStore();
  const told: string[] = [];
  const turns = turnsOn(store, { settled: () => told.push("settled") });
  for (const name of ["a", "b", "c"]) {
    turns.submit({
      run: async () => {
        told.push(`run ${name}`);
      },
      done: () => told.push(`done ${name}`),
      failed: () => told.push(`failed ${name}`),
    });
  }
  await turns.idle();
  expect(store.transactions).toBe(1);
  expect(told).toEqual(["run a", "run b", "run c", "done a", "done b", "done c", "settled"]);
  await store.close();
});

test("D2: what can wait shares a transaction with what comes soon, and waits for nothing else", async () => {
  const events: string[] = [];
  const turns = turnsOn(await watchedStore(events));
  const submit = (name: string, canWait: boolean) =>
    new Promise<void>((resolve) => {
      turns.submit({
        canWait,
        run: async ({ tx }) => tx.allPending(),
        done() {
          events.push(name);
          resolve();
        },
        failed: ({ reason }) => events.push(reason),
      });
    });
  // Two event-loop turns apart, so that each of them alone would be a transaction.
  const ack = submit("ack", true);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(events).toEqual([]);
  await Promise.all([ack, submit("frame", false)]);
  expect(events).toEqual(["commit begins", "committed", "ack", "frame"]);

  events.length = 0;
  await submit("alone", true);
  expect(events).toEqual(["commit begins", "committed", "alone"]);

  events.length = 0;
  void submit("before the end", true);
  await turns.idle();
  expect(events).toEqual(["commit begins", "committed", "before the end"]);
});

test("a long turn lets the event loop go on, and stays one transaction", async () => {
  const events: string[] = [];
  const store = await watchedStore(events);
  const turns = turnsOn(store, { settled: () => events.push("settled") });
  const ended: number[] = [];
  for (let number = 0; number < 60; number += 1) {
    turns.submit({
      run: async () => busyFor(1),
      done: () => {
        busyFor(1);
        ended.push(number);
      },
      failed: () => {},
    });
  }
  let looks = 0;
  const look = () => {
    looks += 1;
    looking = setImmediate(look);
  };
  let looking = setImmediate(look);
  await turns.idle();
  clearImmediate(looking);
  // 120 ms of work.
  expect(looks).toBeGreaterThan(20);
  expect(ended).toEqual(Array.from({ length: 60 }, (_, number) => number));
  expect(events).toEqual(["commit begins", "committed", "settled"]);
  await store.close();
});

function busyFor(ms: number): void {
  const begunMs = performance.now();
  while (performance.now() - begunMs < ms);
}
