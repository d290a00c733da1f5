import { afterEach, beforeEach, expect, test } from "vitest";
import { pruneEnded } from "../../src/store/sqlite/prune.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { activeChat, channelOf, say } from "./chat.js";

/** Unacked deliveries of a channel, and in all. */
const PER_CHANNEL = 4;
const TOTAL = 6;
let hub: TestHub;
let provider: RawAgent;
let consumer: RawAgent;
beforeEach(async () => {
  hub = await startTestHub({ maxUnackedPerChannel: PER_CHANNEL, maxUnacked: TOTAL });
  provider = openAgent(hub.address, "weather", "manual");
  consumer = openAgent(hub.address, "alice", "manual");
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

function delivered(agent: RawAgent, channelId: string): number[] {
  return agent.responses.flatMap(({ frame }) =>
    frame?.$case === "chatMessage" && frame.value.channelId === channelId
      ? [Number(frame.value.seq)]
      : [],
  );
}

/** A chat whose request and accept are handled, and so many messages after them. */
async function chatWith(messages: number): Promise<string> {
  const channelId = await activeChat(consumer, provider);
  provider.ack(channelId, 1n);
  await provider.settled();
  for (let count = 0; count < messages; count += 1) await say(consumer, channelId, "x");
  await provider.settled();
  return channelId;
}

test("D5: a channel is sent no more than may be unacked, in order, and the rest as acks come", async () => {
  const channelId = await chatWith(10);
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6]);
  provider.ack(channelId, 4n);
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6, 7, 8]);
  provider.ack(channelId, 8n);
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  // Live again: the channel has caught up.
  provider.ack(channelId, 12n);
  await provider.settled();
  await say(consumer, channelId, "live");
  await provider.settled();
  expect(provider.responses.at(-2)).toMatchObject({
    replayed: false,
    frame: { $case: "chatMessage", value: { seq: 13n } },
  });
});

test("D5: one slow conversation does not hold up another, until the bound for all is reached", async () => {
  const slow = await chatWith(5);
  const other = await chatWith(5);
  expect(delivered(provider, slow)).toEqual([3, 4, 5, 6]);
  expect(delivered(provider, other)).toEqual([3, 4]);
  for (let seq = 4; seq <= 7; seq += 1) {
    provider.ack(other, BigInt(seq));
    for (let count = 0; count < 3; count += 1) await provider.settled();
  }
  expect(delivered(provider, other)).toEqual([3, 4, 5, 6, 7]);
  expect(delivered(provider, slow)).toEqual([3, 4, 5, 6]);
});

test("D5: what is set aside frees its places, stays unhandled, and comes again in a later session", async () => {
  const channelId = await chatWith(7);
  provider.sendRequest({ setAside: [{ channelId, seq: 6n }] });
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  // A position nobody knows of, and a channel nobody knows of, free nothing and disturb nobody.
  provider.sendRequest({
    setAside: [
      { channelId, seq: 1_000_000n },
      { channelId: "ch_nobody", seq: 1n },
    ],
  });
  await provider.settled();
  expect((await channelOf(hub.address, "weather", channelId))?.positions[0]?.ackedSeq).toBe(2n);
  await provider.cut();
  provider = openAgent(hub.address, "weather", "manual");
  await provider.next("chatMessage");
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6]);
});

test("D5: an ack about a chat that was pruned is refused, and frees its places", async () => {
  const gone = await chatWith(5);
  const other = await chatWith(5);
  expect(delivered(provider, gone)).toEqual([3, 4, 5, 6]);
  expect(delivered(provider, other)).toEqual([3, 4]);
  await consumer.store({ $case: "chatEnd", value: { channelId: gone } });
  const pruned = await pruneEnded({ path: hub.dbPath, endedBeforeMs: Date.now() + 60_000 });
  expect(pruned.channels).toBe(1);
  // As a whole or not at all (M5): the other's position stays, and so do its places.
  provider.sendRequest({
    acks: [
      { channelId: other, seq: 3n },
      { channelId: gone, seq: 6n },
    ],
  });
  expect(await provider.next("error")).toMatchObject({ reason: "CHANNEL_NOT_FOUND" });
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect((await channelOf(hub.address, "weather", other))?.positions[0]?.ackedSeq).toBe(2n);
  expect(delivered(provider, other)).toEqual([3, 4, 5, 6]);
  provider.ack(other, 6n);
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, other)).toEqual([3, 4, 5, 6, 7]);
  expect(delivered(provider, gone)).toEqual([3, 4, 5, 6]);
});

test("M5: what is set aside beside a refused frame stays unacked, and its answer is the frame's", async () => {
  const channelId = await chatWith(7);
  const requestId = "mine";
  provider.sendRequest({
    requestId,
    setAside: [{ channelId, seq: 6n }],
    frame: { $case: "chatMessage", value: { channelId: "ch_nobody", content: "x" } },
  });
  for (let count = 0; count < 3; count += 1) await provider.settled();
  expect(delivered(provider, channelId)).toEqual([3, 4, 5, 6]);
});

test("D5: an auto session is not bounded by acks it never sends", async () => {
  await provider.cut();
  provider = openAgent(hub.address, "weather", "auto");
  const { limits } = await provider.next("sessionStarted");
  expect(limits).toMatchObject({ maxUnacked: 0, maxUnackedPerChannel: 0, maxUnackedBytes: 0 });
  const channelId = await activeChat(consumer, provider);
  for (let count = 0; count < 10; count += 1) await say(consumer, channelId, "x");
  await provider.settled();
  expect(delivered(provider, channelId)).toHaveLength(10);
});

test("D6: the peer is told how far an agent has got, the newest only, in its receiving session", async () => {
  const channelId = await chatWith(3);
  for (const seq of [3n, 4n, 5n]) provider.ack(channelId, seq);
  const told: bigint[] = [];
  while (told.at(-1) !== 5n) {
    const progress = await consumer.next("progress");
    expect(progress).toMatchObject({ channelId, agentId: "weather" });
    told.push(progress.ackedSeq);
  }
  // Request and accept were acked before, perhaps long enough before to be told alone.
  expect(told.length).toBeLessThanOrEqual(2);
  expect(provider.responses.some(({ frame }) => frame?.$case === "progress")).toBe(false);
  // The same ack again moves nothing, so nobody is told.
  provider.ack(channelId, 5n);
  await provider.settled();
  const before = consumer.responses.length;
  await say(provider, channelId, "done");
  consumer.ack(channelId, 6n);
  expect(await provider.next("progress")).toMatchObject({ agentId: "alice", ackedSeq: 6n });
  expect(
    consumer.responses.slice(before).filter(({ frame }) => frame?.$case === "progress"),
  ).toEqual([]);
});

test("D6: an auto session's peer is told as well", async () => {
  await provider.cut();
  provider = openAgent(hub.address, "weather", "auto");
  await provider.next("sessionStarted");
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "x");
  for (;;) {
    const { agentId, ackedSeq } = await consumer.next("progress");
    expect(agentId).toBe("weather");
    if (ackedSeq === 3n) break;
  }
});

test("D1: the greeting is first, and says how much is about to be replayed, at most", async () => {
  const channelId = await chatWith(3);
  await provider.cut();
  provider = openAgent(hub.address, "weather", "manual");
  // Asked before the hub has read the positions: still behind the greeting.
  provider.sendRequest({ requestId: "1", heartbeat: true });
  await provider.settled();
  expect(provider.responses[0]?.frame).toMatchObject({
    $case: "sessionStarted",
    value: {
      backlog: 3n,
      limits: {
        maxMessageBytes: 1024 * 1024,
        maxUnackedPerChannel: PER_CHANNEL,
        maxUnacked: TOTAL,
        maxUnackedBytes: 8 * 1024 * 1024,
        heartbeatInterval: { seconds: 10n, nanos: 0 },
      },
    },
  });
  // The answer to a heartbeat waits for no replay.
  for (let count = 0; count < 3; count += 1) await provider.next("chatMessage");
  expect(delivered(provider, channelId)).toEqual([3, 4, 5]);
  const none = openAgent(hub.address, "alice");
  expect(await none.next("sessionStarted")).toMatchObject({ backlog: 0n });
});

test("I4: a session that is superseded, or half-closes, before it has begun is greeted all the same", async () => {
  const agents = Array.from({ length: 8 }, () => openAgent(hub.address, "busy", "manual"));
  const leaving = openAgent(hub.address, "leaving", "manual");
  leaving.halfClose();
  expect((await leaving.ended).code).toBe(0);
  await Promise.all(agents.slice(0, -1).map((agent) => agent.ended));
  await agents.at(-1)?.settled();
  for (const agent of [...agents, leaving]) {
    const greetings = agent.responses.filter(({ frame }) => frame?.$case === "sessionStarted");
    expect(greetings).toHaveLength(1);
    expect(agent.responses[0]).toBe(greetings[0]);
  }
});
