import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createHeartbeatWatch } from "../../src/server/heartbeat-watch.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_SERVICE, register } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub({ heartbeatIntervalMs: 40 });
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAgents();
  await hub.stop();
});

async function isOnline(): Promise<boolean | undefined> {
  const { services } = await call(hub.address, "alice", "listServices", ANY_SERVICE);
  return services[0]?.providerOnline;
}

test("L3: a session that has sent a heartbeat and falls silent is ended, and shown offline", async () => {
  await register(hub.address, "weather", "w");
  const agent = openAgent(hub.address, "weather", "manual");
  await agent.settled();
  expect(await isOnline()).toBe(true);
  expect(await agent.next("goAway")).toMatchObject({
    reason: "HEARTBEAT_MISSED",
    reconnect: true,
  });
  expect((await agent.ended).code).toBe(14);
  expect(await isOnline()).toBe(false);
});

test("L3: a session that never sent a heartbeat may be silent for ever", async () => {
  const silent = openAgent(hub.address, "weather", "manual");
  await silent.next("sessionStarted");
  const other = openAgent(hub.address, "other", "manual");
  await other.settled();
  await other.ended;
  await silent.settled();
});

test("L3: any request counts, not heartbeats alone; what the hub does not read is not missed", () => {
  vi.useFakeTimers();
  let missed = 0;
  const watch = createHeartbeatWatch({
    intervalMs: 1_000,
    missed: () => {
      missed += 1;
    },
  });
  watch.heard(false);
  vi.advanceTimersByTime(60_000);
  watch.heard(true);
  for (let count = 0; count < 10; count += 1) {
    vi.advanceTimersByTime(2_400);
    watch.heard(false);
  }
  watch.pause();
  vi.advanceTimersByTime(60_000);
  watch.resume();
  vi.advanceTimersByTime(2_400);
  expect(missed).toBe(0);
  vi.advanceTimersByTime(200);
  expect(missed).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(missed).toBe(1);
});

test("L3: a hub that was held up itself reads what has arrived before it says that nothing did", () => {
  vi.useFakeTimers();
  let missed = 0;
  const watch = createHeartbeatWatch({
    intervalMs: 1_000,
    missed: () => {
      missed += 1;
    },
  });
  watch.heard(true);
  // The timer runs first, then what lay in the socket, then the check.
  setTimeout(() => watch.heard(false), 2_500);
  vi.advanceTimersByTime(2_500);
  expect(missed).toBe(0);
});
