import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { activeChat, channelOf, say } from "./chat.js";

let hub: TestHub;
let provider: RawAgent;
let consumer: RawAgent;
beforeEach(async () => {
  hub = await startTestHub();
  provider = openAgent(hub.address, "weather", "manual");
  consumer = openAgent(hub.address, "alice", "manual");
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

async function positionOf(agentId: string, channelId: string): Promise<bigint | undefined> {
  const channel = await channelOf(hub.address, agentId, channelId);
  return channel?.positions.find((position) => position.agentId === agentId)?.ackedSeq;
}

test("D1 D3: what has no ack is delivered again in the next session, in order, then live", async () => {
  const channelId = await activeChat(consumer, provider);
  for (const content of ["3", "4", "5"]) await say(consumer, channelId, content);
  provider.ack(channelId, 3n);
  await provider.settled();
  await provider.cut();

  const back = openAgent(hub.address, "weather", "manual");
  await back.next("sessionStarted");
  await say(consumer, channelId, "6");
  const contents: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const message = await back.next("chatMessage");
    contents.push(message.content);
    expect(message.seq).toBe(BigInt(message.content));
  }
  expect(contents).toEqual(["4", "5", "6"]);
});

test("D1: no gap and no repeat at the seam, while the peer goes on talking", async () => {
  const channelId = await activeChat(consumer, provider);
  await provider.cut();
  const COUNT = 1_500;
  const sent: Promise<unknown>[] = [];
  const later: RawAgent[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    sent.push(say(consumer, channelId, `${index}`));
    if (index === COUNT / 2) {
      await Promise.all(sent);
      later.push(openAgent(hub.address, "weather", "manual"));
    }
  }
  await Promise.all(sent);
  const [reader] = later;
  if (reader === undefined) throw new Error("no reader");
  for (let index = 0; index < COUNT; index += 1) {
    const { content, seq } = await reader.next("chatMessage");
    expect(content).toBe(`${index}`);
    if (index % 100 === 0) reader.ack(channelId, seq);
  }
  await reader.settled();
  const messages = reader.responses.filter((one) => one.frame?.$case === "chatMessage");
  expect(messages).toHaveLength(COUNT);
  expect(messages[0]?.replayed).toBe(true);
});

test("D2: acks are cumulative, move only forward, and own entries do not hold them back", async () => {
  const channelId = await activeChat(consumer, provider);
  for (const content of ["3", "4"]) await say(consumer, channelId, content);
  await say(provider, channelId, "5");
  // The provider's own accept (2) and message (5) are not its to read.
  provider.ack(channelId, 3n);
  await provider.settled();
  expect(await positionOf("weather", channelId)).toBe(3n);
  provider.ack(channelId, 1n);
  await provider.settled();
  expect(await positionOf("weather", channelId)).toBe(3n);
  provider.ack(channelId, 4n);
  await provider.settled();
  expect(await positionOf("weather", channelId)).toBe(5n);
  expect(
    await provider.refusal({ $case: "chatEnd", value: { channelId } }, [{ channelId, seq: 6n }]),
  ).toBe("POSITION_AHEAD");
  // Refused as a whole: the chat goes on.
  await say(provider, channelId, "6");
});

test("D2: an auto session moves the position once the transport has the bytes", async () => {
  await provider.cut();
  const auto = openAgent(hub.address, "weather", "auto");
  const receipt = await consumer.store({
    $case: "chatMessage",
    value: { targetAgent: "weather", content: "hi" },
  });
  await auto.next("chatMessage");
  await auto.settled();
  await expect
    .poll(() => positionOf("weather", receipt.channelId), { timeout: 5_000, interval: 5 })
    .toBe(1n);
});

test("I4: a newer receiving session takes over; the older stores nothing more", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "3");
  await provider.next("chatMessage");
  const newer = openAgent(hub.address, "weather", "manual");
  const word = await provider.next("goAway");
  expect(word).toMatchObject({ reason: "SUPERSEDED", reconnect: false });
  provider.ack(channelId, 3n);
  provider.sendRequest({ frame: { $case: "chatMessage", value: { channelId, content: "late" } } });
  expect((await provider.ended).code).toBe(10);
  expect((await newer.next("chatMessage")).content).toBe("3");
  await newer.settled();
  expect(await positionOf("weather", channelId)).toBe(0n);
  const page = await consumer.ask({ $case: "chatHistory", value: { channelId } });
  expect(page.frame?.$case === "chatHistory" && page.frame.value.messages).toHaveLength(1);
});

test("I4: a session that only sends supersedes nobody", async () => {
  const channelId = await activeChat(consumer, provider);
  const sender = openAgent(hub.address, "weather");
  await say(sender, channelId, "from the side");
  sender.halfClose();
  expect((await sender.ended).code).toBe(0);
  await say(consumer, channelId, "still there?");
  expect((await provider.next("chatMessage")).content).toBe("still there?");
  expect(provider.responses.some((one) => one.frame?.$case === "goAway")).toBe(false);
});

test("D4: a reader that stops reading holds up nobody, and later gets everything in order", async () => {
  const channelId = await activeChat(consumer, provider);
  await provider.cut();
  const COUNT = 64;
  const content = "x".repeat(100_000);
  const slow = openAgent(hub.address, "weather", "manual");
  await slow.next("sessionStarted");
  slow.pause();
  for (let index = 0; index < COUNT; index += 1)
    await say(consumer, channelId, `${index}${content}`);
  slow.resume();
  for (let index = 0; index < COUNT; index += 1) {
    expect((await slow.next("chatMessage")).seq).toBe(BigInt(index + 3));
  }
  // It was fed from the log once its outbox was full.
  expect(slow.responses.at(-1)?.replayed).toBe(true);
});

test("D7: the store's epoch stays over a restart and differs between databases", async () => {
  const { storeEpoch } = await consumer.next("sessionStarted");
  await hub.restart();
  const again = openAgent(hub.address, "alice");
  expect((await again.next("sessionStarted")).storeEpoch).toBe(storeEpoch);
  const other = await startTestHub();
  const there = openAgent(other.address, "alice");
  expect((await there.next("sessionStarted")).storeEpoch).not.toBe(storeEpoch);
  await there.cut();
  await other.stop();
});

test("D2: the largest of several acks for one channel counts, in whatever order they come", async () => {
  const channelId = await activeChat(consumer, provider);
  for (const content of ["3", "4", "5"]) await say(consumer, channelId, content);
  provider.sendRequest({
    acks: [
      { channelId, seq: 4n },
      { channelId, seq: 1n },
    ],
  });
  await provider.settled();
  expect(await positionOf("weather", channelId)).toBe(4n);
});

test("M5: acks beside a refused frame do not count either", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "3");
  for (const value of [{ channelId: "ch_none" }, { channelId: "" }]) {
    await provider.refusal({ $case: "chatEnd", value }, [{ channelId, seq: 3n }]);
  }
  expect(await positionOf("weather", channelId)).toBe(0n);
});

test("I4: sessions opened at the same moment all begin with SessionStarted", async () => {
  const twins = [1, 2, 3].map(() => openAgent(hub.address, "twin", "manual"));
  await Promise.all(twins.slice(0, 2).map((twin) => twin.ended));
  await twins[2]?.settled();
  for (const twin of twins) expect(twin.responses[0]?.frame?.$case).toBe("sessionStarted");
});

test("M6: own entries are not sent when a session is replayed either", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(provider, channelId, "3");
  await say(consumer, channelId, "4");
  await say(provider, channelId, "5");
  await consumer.cut();
  const back = openAgent(hub.address, "alice", "manual");
  expect((await back.next("chatAccept")).seq).toBe(2n);
  expect((await back.next("chatMessage")).content).toBe("3");
  expect((await back.next("chatMessage")).content).toBe("5");
  await back.settled();
  expect(back.responses.filter((one) => one.frame?.$case === "chatMessage")).toHaveLength(2);
});
