import { afterEach, beforeEach, expect, test } from "vitest";
import { ChannelState, EndCode, RejectCode } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { activeChat, channelOf, register, request, say } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("C1 C3 M3: a conversation from the request to its history, on the bare stub", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  await provider.next("sessionStarted");
  await consumer.next("sessionStarted");

  const asked = await request(consumer, "weather-svc");
  expect(asked.seq).toBe(1n);
  const offered = await provider.next("chatRequest");
  expect(offered).toMatchObject({
    channelId: asked.channelId,
    consumerId: "alice",
    providerId: "weather",
    serviceId: "weather-svc",
    seq: 1n,
  });

  await provider.store({ $case: "chatAccept", value: { consumerId: "alice", content: "hello" } });
  expect(await consumer.next("chatAccept")).toMatchObject({
    channelId: asked.channelId,
    providerId: "weather",
    seq: 2n,
    content: "hello",
  });

  const sent = await say(consumer, asked.channelId, "北京天气?", "m-1");
  expect(sent).toMatchObject({ seq: 3n, messageId: "m-1", duplicate: false });
  expect(await provider.next("chatMessage")).toMatchObject({
    senderId: "alice",
    content: "北京天气?",
    seq: 3n,
    messageId: "m-1",
  });
  await say(provider, asked.channelId, "sunny");
  expect(await consumer.next("chatMessage")).toMatchObject({ senderId: "weather", seq: 4n });

  await consumer.store({
    $case: "chatEnd",
    value: { channelId: asked.channelId, code: EndCode.END_CODE_COMPLETED },
  });
  expect(await provider.next("chatEnd")).toMatchObject({ endedBy: "alice", seq: 5n });

  const page = await provider.ask({
    $case: "chatHistory",
    value: { channelId: asked.channelId },
  });
  expect(page.frame?.$case).toBe("chatHistory");
  if (page.frame?.$case !== "chatHistory") return;
  expect(page.frame.value.messages.map((message) => [message.seq, message.content])).toEqual([
    [3n, "北京天气?"],
    [4n, "sunny"],
  ]);
  expect(page.frame.value.channel?.state).toBe(ChannelState.CHANNEL_STATE_ENDED);
});

test("S1: each consumer of a service gets a channel of its own", async () => {
  const { openChannelId } = await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const alice = openAgent(hub.address, "alice", "manual");
  const bob = openAgent(hub.address, "bob", "manual");

  const first = await request(alice, "weather-svc");
  const second = await request(bob, "weather-svc");
  expect(first.channelId).toBe(openChannelId);
  expect(second.channelId).not.toBe(first.channelId);
  const again = await register(hub.address, "weather", "weather-svc");
  expect([first.channelId, second.channelId]).not.toContain(again.openChannelId);

  await provider.store({ $case: "chatAccept", value: { channelId: first.channelId } });
  await provider.store({ $case: "chatAccept", value: { channelId: second.channelId } });
  await say(alice, first.channelId, "for the first channel");
  const page = await bob.ask({ $case: "chatHistory", value: { serviceId: "weather-svc" } });
  expect(page.frame?.$case === "chatHistory" && page.frame.value.messages).toEqual([]);
});

test("M6: a sender is not sent its own message, not even in another session", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const side = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "one");
  await say(side, channelId, "two");
  expect((await provider.next("chatMessage")).content).toBe("one");
  expect((await provider.next("chatMessage")).content).toBe("two");
  await consumer.settled();
  expect(consumer.responses.filter((one) => one.frame?.$case === "chatMessage")).toEqual([]);
});

test("C6: nothing is delivered into a chat that has ended; what was said before still is", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const channelId = await activeChat(consumer, provider);
  await consumer.next("chatAccept");
  await provider.cut();
  await say(consumer, channelId, "before");
  await consumer.store({ $case: "chatEnd", value: { channelId, reason: "done" } });
  expect(
    await consumer.refusal({ $case: "chatMessage", value: { channelId, content: "after" } }),
  ).toBe("CHANNEL_ENDED");

  const back = openAgent(hub.address, "weather", "manual");
  expect((await back.next("chatMessage")).content).toBe("before");
  expect((await back.next("chatEnd")).reason).toBe("done");
  await back.settled();
  expect(back.responses.filter((one) => one.frame?.$case === "chatMessage")).toHaveLength(1);
});

test("C6: ending twice is answered with the first receipt", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const channelId = await activeChat(consumer, provider);
  const first = await consumer.store({ $case: "chatEnd", value: { channelId } });
  const again = await provider.store({ $case: "chatEnd", value: { channelId } });
  expect(again).toMatchObject({ seq: first.seq, timestamp: first.timestamp, duplicate: true });
});

test("C3: a rejection closes the channel and reaches the consumer with its words", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  await provider.store({
    $case: "chatReject",
    value: { consumerId: "alice", reason: "Busy", code: RejectCode.REJECT_CODE_BUSY },
  });
  expect(await consumer.next("chatReject")).toMatchObject({
    channelId,
    reason: "Busy",
    code: RejectCode.REJECT_CODE_BUSY,
    providerId: "weather",
  });
  expect(await channelOf(hub.address, "alice", channelId)).toMatchObject({
    state: ChannelState.CHANNEL_STATE_REJECTED,
    reason: "Busy",
  });
});

test("C3: the same answer again gets the first receipt, the other one is refused", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  const first = await provider.store({ $case: "chatAccept", value: { consumerId: "alice" } });
  const again = await provider.store({ $case: "chatAccept", value: { consumerId: "alice" } });
  expect(again).toMatchObject({ channelId, seq: first.seq, duplicate: true });
  expect(await provider.refusal({ $case: "chatReject", value: { consumerId: "alice" } })).toBe(
    "ALREADY_ANSWERED",
  );
});

test("C4: a consumer takes a pending request back", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  expect(await provider.refusal({ $case: "chatEnd", value: { channelId } })).toBe(
    "CHAT_NOT_ACCEPTED",
  );
  await consumer.store({ $case: "chatEnd", value: { channelId } });
  expect((await provider.next("chatEnd")).channelId).toBe(channelId);
  expect(await provider.refusal({ $case: "chatAccept", value: { channelId } })).toBe(
    "CHANNEL_ENDED",
  );
});

test("C2: a request to a provider that is offline has a receipt and waits for it", async () => {
  await register(hub.address, "weather", "weather-svc");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  await hub.restart();
  const provider = openAgent(hub.address, "weather", "manual");
  expect((await provider.next("chatRequest")).channelId).toBe(channelId);
  expect(provider.responses.at(-1)?.replayed).toBe(true);
});
