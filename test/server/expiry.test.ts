import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChannelState, RejectCode } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { channelOf } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

const HALF_A_SECOND = { seconds: 0n, nanos: 500_000_000 };

test("C4 C8: a request nobody answers is rejected as EXPIRED, and both members are told", async () => {
  const consumer = openAgent(hub.address, "alice", "manual");
  const provider = openAgent(hub.address, "weather", "manual");
  const startedMs = performance.now();
  const { channelId } = await consumer.store({
    $case: "chatRequest",
    value: { providerId: "weather", timeout: HALF_A_SECOND },
  });
  expect(await consumer.next("chatReject")).toMatchObject({
    channelId,
    seq: 2n,
    code: RejectCode.REJECT_CODE_EXPIRED,
  });
  expect(performance.now() - startedMs).toBeGreaterThan(490);
  await provider.next("chatReject");
  expect(await provider.refusal({ $case: "chatAccept", value: { channelId } })).toBe(
    "ALREADY_ANSWERED",
  );
});

test("C4: timers survive a restart, and the downtime counts", async () => {
  const consumer = openAgent(hub.address, "alice");
  const { channelId } = await consumer.store({
    $case: "chatRequest",
    value: { providerId: "weather", timeout: HALF_A_SECOND },
  });
  await hub.halt();
  // The time itself is what is tested here.
  await wait(600);
  await hub.resume();
  const back = openAgent(hub.address, "alice", "manual");
  expect((await back.next("chatReject")).code).toBe(RejectCode.REJECT_CODE_EXPIRED);
  expect((await channelOf(hub.address, "alice", channelId))?.state).toBe(
    ChannelState.CHANNEL_STATE_REJECTED,
  );
});

test("C4: an answered request does not expire, not even when its time passes during a restart", async () => {
  const consumer = openAgent(hub.address, "alice");
  const provider = openAgent(hub.address, "weather", "manual");
  const soon = await consumer.store({
    $case: "chatRequest",
    value: { providerId: "weather", timeout: { seconds: 2n, nanos: 0 } },
  });
  await provider.store({ $case: "chatAccept", value: { channelId: soon.channelId } });
  await hub.restart();
  const again = openAgent(hub.address, "alice", "manual");
  // A later request expires after the first one would have.
  await again.store({
    $case: "chatRequest",
    value: { providerId: "weather", timeout: { seconds: 2n, nanos: 1 } },
  });
  const rejected = await again.next("chatReject");
  expect(rejected.channelId).not.toBe(soon.channelId);
  expect((await channelOf(hub.address, "alice", soon.channelId))?.state).toBe(
    ChannelState.CHANNEL_STATE_ACTIVE,
  );
});
