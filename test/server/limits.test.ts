import { randomUUID } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { registerService } from "../../src/hub/services.js";
import { Service } from "../../src/protocol/wire.js";
import { startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, ANY_SERVICE, register } from "./chat.js";

/** What the core is told of a hub that nobody is connected to. */
const ENVIRONMENT = {
  nowMs: () => Date.now(),
  isOnline: () => false,
  directChats: true,
  agentsMustBeKnown: false,
  maxPendingRequests: 0,
  maxChannels: 0,
};

let hub: TestHub;
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("M8: who sends more than it may is read later and refused nothing; others do not notice", async () => {
  hub = await startTestHub({ maxFramesPerSecond: 40 });
  const fast = openAgent(hub.address, "fast");
  const beside = openAgent(hub.address, "fast");
  const other = openAgent(hub.address, "other");
  await Promise.all([fast, beside, other].map((agent) => agent.next("sessionStarted")));
  const receipts = () =>
    [fast, beside].flatMap(({ responses }) => responses.flatMap((one) => one.receipts)).length;
  const beganMs = performance.now();
  for (let count = 0; count < 60; count += 1) {
    for (const [name, agent] of Object.entries({ fast, beside })) {
      const value = { targetAgent: "bob", content: "x", messageId: `${name}-${count}` };
      agent.sendRequest({ requestId: `${count}`, frame: { $case: "chatMessage", value } });
    }
  }
  // Ten answers, one after the other, while the others wait for theirs.
  for (let count = 0; count < 10; count += 1) await other.settled();
  expect(receipts()).toBeLessThan(120);
  await Promise.all([fast.settled(), beside.settled()]);
  expect(receipts()).toBe(120);
  expect(fast.responses.some(({ frame }) => frame?.$case === "error")).toBe(false);
  // 122 requests, of which 40 in the first moment: earlier than this would be too early.
  expect(performance.now() - beganMs).toBeGreaterThan(((122 - 40 - 2) / 40) * 1000);
});

test("M8 L3: a client that the hub reads later is not taken for gone", async () => {
  hub = await startTestHub({
    maxMessageBytes: 4096,
    maxBytesPerSecond: 4096,
    heartbeatIntervalMs: 50,
  });
  const agent = openAgent(hub.address, "alice");
  agent.sendRequest({ heartbeat: true });
  for (let count = 0; count < 3; count += 1) {
    const value = { targetAgent: "bob", content: "x".repeat(3_900) };
    agent.sendRequest({ frame: { $case: "chatMessage", value } });
  }
  await agent.settled();
  expect(agent.responses.flatMap(({ receipts }) => receipts)).toHaveLength(3);
  expect(agent.responses.some(({ frame }) => frame?.$case === "goAway")).toBe(false);
});

test("M8: a plain call beyond the rate is refused with the time to wait", async () => {
  hub = await startTestHub({ maxFramesPerSecond: 1 });
  const calls = Array.from({ length: 5 }, () =>
    call(hub.address, "alice", "listServices", ANY_SERVICE).then(
      () => "answered",
      ({ code, details }) => `${code} ${details}`,
    ),
  );
  const [answered, refused] = [...new Set(await Promise.all(calls))].sort().reverse();
  expect(answered).toBe("answered");
  expect(refused).toMatch(/^8 RATE_LIMITED: /);
  // Another agent has a second of its own.
  await call(hub.address, "bob", "listServices", ANY_SERVICE);
});

test("M8: a listing that takes long counts for more than one request", async () => {
  hub = await startTestHub({ maxFramesPerSecond: 200 });
  await hub.halt();
  const store = await openSqliteStore({ path: hub.dbPath });
  await store.transaction(async (tx) => {
    const env = { ...ENVIRONMENT, newId: () => randomUUID() };
    const context = { tx, env, written: [], moved: [], denied: [] };
    for (let count = 0; count < 1_000; count += 1) {
      const service = Service.fromPartial({
        serviceId: `s-${count}`,
        description: "x".repeat(8_000),
      });
      await registerService(context, "weather", service);
    }
  });
  await store.close();
  await hub.resume();
  const search = { ...ANY_SERVICE, query: "nothing of the kind" };
  const list = (agentId: string) => call(hub.address, agentId, "listServices", search);
  // So many are less than one second's worth, if each counts for one.
  let refusals: unknown[] = [];
  for (let round = 0; round < 15 && refusals.length === 0; round += 1) {
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => list("alice")));
    refusals = answers.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  }
  expect(refusals[0]).toMatchObject({ code: 8, details: expect.stringContaining("RATE_LIMITED") });
  await list("bob");
});

test("I4: a session beyond max_sessions finds no place; one that supersedes another does, once", async () => {
  hub = await startTestHub({ maxSessions: 2 });
  const first = openAgent(hub.address, "alice", "manual");
  const beside = openAgent(hub.address, "alice");
  await Promise.all([first.next("sessionStarted"), beside.next("sessionStarted")]);
  const third = await openAgent(hub.address, "alice").ended;
  expect(third).toMatchObject({ code: 8, details: expect.stringMatching(/^TOO_MANY_SESSIONS: /) });
  await openAgent(hub.address, "bob").next("sessionStarted");

  const newer = openAgent(hub.address, "alice", "manual");
  await newer.next("sessionStarted");
  expect((await first.ended).code).toBe(10);
  // Both places are taken again, by the newer one and the one beside.
  expect((await openAgent(hub.address, "alice").ended).code).toBe(8);
  await beside.cut();
  await newer.settled();
  // The hub may hear of the cut only after the next stream: then there is a place a little later.
  await expect
    .poll(async () => {
      const again = openAgent(hub.address, "alice");
      const began = await again.next("sessionStarted").catch(() => undefined);
      return began !== undefined;
    })
    .toBe(true);
});

test("C2 S1: max_channels counts chats that are not over, by who began them, and services", async () => {
  hub = await startTestHub({ maxChannels: 2 });
  const alice = openAgent(hub.address, "alice");
  const bob = openAgent(hub.address, "bob");
  await register(hub.address, "alice", "s");
  const { channelId } = await alice.store({
    $case: "chatMessage",
    value: { targetAgent: "bob", content: "x" },
  });
  const more = register(hub.address, "alice", "t");
  await expect(more).rejects.toMatchObject({
    details: expect.stringMatching(/^TOO_MANY_CHANNELS: /),
  });
  await register(hub.address, "alice", "s", { maxActiveChats: 1 });
  // It is alice's, and bob may have two of his own beside it.
  for (const providerId of ["c", "d"])
    await bob.store({ $case: "chatRequest", value: { providerId } });
  await alice.store({ $case: "chatEnd", value: { channelId } });
  await register(hub.address, "alice", "t");
  const { channels } = await call(hub.address, "bob", "listChannels", ANY_CHANNEL);
  expect(channels).toHaveLength(3);
});

test("M5: how much metadata may have is the operator's to say", async () => {
  hub = await startTestHub({ maxMetadataEntries: 40, maxMetadataBytes: 100 });
  const alice = openAgent(hub.address, "alice");
  const said = (entries: [string, string][]) => ({
    $case: "chatMessage" as const,
    value: { targetAgent: "bob", content: "x", metadata: new Map(entries) },
  });
  const names = (count: number) =>
    Array.from({ length: count }, (_, index): [string, string] => [`${index}`, ""]);
  await alice.store(said(names(40)));
  expect(await alice.refusal(said(names(41)))).toBe("METADATA_TOO_LARGE");
  expect(await alice.refusal(said([["n", "x".repeat(100)]]))).toBe("METADATA_TOO_LARGE");
  const started = alice.responses[0]?.frame;
  expect(started).toMatchObject({ value: { limits: { maxMetadataEntries: 40 } } });
});

test("M8: a hub does not start where one message would take longer than a second", async () => {
  hub = await startTestHub();
  const store = await openSqliteStore({ path: ":memory:" });
  const small = { store, listen: "127.0.0.1:0", maxMessageBytes: 2048 };
  await expect(startHub({ ...small, maxBytesPerSecond: 2047 })).rejects.toThrow(RangeError);
  await expect(startHub({ ...small, maxMetadataEntries: 0 })).rejects.toThrow(RangeError);
  // No greeting could tell these.
  for (const limit of [
    { maxUnacked: Infinity },
    { maxFramesPerSecond: 0.5 },
    { maxSessions: -1 },
  ]) {
    await expect(startHub({ ...small, ...limit })).rejects.toThrow(/is .*; use a whole number/);
  }
  await store.close();
});
