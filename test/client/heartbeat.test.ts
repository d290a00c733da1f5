import { afterEach, beforeEach, expect, test } from "vitest";
import { startHeartbeat } from "../../src/client/heartbeat.js";
import type { ConnectionEvent } from "../../src/client/index.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy, type TestProxy } from "../support/proxy.js";
import { collect, connectAgent, disconnectAgents, newAgent, take } from "./agents.js";

/** Long enough that a busy machine is not taken for a silent one. */
const INTERVAL_MS = 400;
let hub: TestHub;
let proxy: TestProxy;

beforeEach(async () => {
  hub = await startTestHub({ heartbeatIntervalMs: INTERVAL_MS });
  proxy = await startTestProxy(hub.address);
});
afterEach(async () => {
  await disconnectAgents();
  await proxy.stop();
  await hub.stop();
});

/** Reads events until one has this state. */
async function until<State extends ConnectionEvent["state"]>(
  events: AsyncIterator<ConnectionEvent, void>,
  state: State,
): Promise<Extract<ConnectionEvent, { state: State }>> {
  for (;;) {
    const event = await take(events);
    if (isOf(event, state)) return event;
  }
}

function isOf<State extends ConnectionEvent["state"]>(
  event: ConnectionEvent,
  state: State,
): event is Extract<ConnectionEvent, { state: State }> {
  return event.state === state;
}

test("L3: a client without anything to say beats, and stays connected", async () => {
  const beats = collect<boolean>();
  const states: string[] = [];
  const client = newAgent(hub.url, "a", {
    onFrame({ request }) {
      if (request?.heartbeat) beats.add(true);
    },
  });
  void (async () => {
    for await (const { state } of client.connection()) states.push(state);
  })();
  await client.connect();
  // Longer than either side waits for the other.
  await beats.reached(5);
  expect(states).toEqual(["connecting", "connected"]);
});

test("L3: a connection that leads nowhere is noticed, and another one is opened", async () => {
  const client = newAgent(proxy.url, "a");
  const events = client.connection();
  await client.connect();
  await until(events, "connected");
  const accepted = proxy.accepted;
  proxy.strand();
  const sent = client.sendMessage({ targetAgent: "b", content: "said into the void" });
  expect(await until(events, "disconnected")).toMatchObject({ reason: "HEARTBEAT_MISSED" });
  await until(events, "connected");
  expect(proxy.accepted).toBeGreaterThan(accepted);
  expect(await sent).toMatchObject({ seq: 1 });
  expect(await client.registerService({ serviceId: "s" })).toMatchObject({ serviceId: "s" });
});

test("L3: a client that fell silent is shown offline, and online when it is back", async () => {
  const client = newAgent(proxy.url, "a");
  const events = client.connection();
  await client.connect();
  await until(events, "connected");
  const watcher = await connectAgent(hub.url, "b");
  const { channelId } = await watcher.sendMessage({ targetAgent: "a", content: "x" });
  const isOnline = async () => {
    const { channel } = await watcher.getHistory({ channelId, limit: 1 });
    return channel.positions.find(({ agentId }) => agentId === "a")?.online;
  };
  expect(await isOnline()).toBe(true);
  // Until the test says so there is no way back.
  const nowhere = await startTestHub();
  proxy.lead(nowhere.address);
  await nowhere.halt();
  proxy.strand();
  while (await isOnline());
  await until(events, "disconnected");
  proxy.lead(hub.address);
  await until(events, "connected");
  expect(await isOnline()).toBe(true);
  await nowhere.stop();
});

test("L3: a process that was busy for long has not heard silence", async () => {
  const beats = collect<boolean>();
  let missed = false;
  const heartbeat = startHeartbeat({
    intervalMs: 40,
    beat: () => beats.add(true),
    missed: () => {
      missed = true;
    },
  });
  await beats.reached(2);
  // Ten times as long as silence may last, in which nothing could be read.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  setImmediate(() => heartbeat.received());
  await beats.reached(4);
  expect(missed).toBe(false);
  heartbeat.stop();
});

test("L3: silence is two and a half intervals, and told once", async () => {
  let beats = 0;
  const missed = await new Promise<number>((resolve) => {
    startHeartbeat({
      intervalMs: 40,
      beat() {
        beats += 1;
      },
      missed: () => resolve(beats),
    });
  });
  // At once, after one interval and after two.
  expect(missed).toBe(3);
});

test("a hub that announces no heartbeat is sent none", () => {
  const heartbeat = startHeartbeat({
    intervalMs: 0,
    beat: () => expect.unreachable(),
    missed: () => expect.unreachable(),
  });
  heartbeat.stop();
});
