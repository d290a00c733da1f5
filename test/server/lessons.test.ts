import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { activeChat, register, request, say } from "./chat.js";

/*
 * What an earlier hub got wrong and this one must not. The others have tests
 * among those of their rule: one channel for all consumers of a service
 * (conversation, S1), believing sender_id (identity, I1), reading by knowing a
 * service id (identity, C7), a repeated or missing message id overwriting an
 * older message (sending, M2), echoing to the sender (conversation, M6),
 * delivering into ended chats (conversation, C6).
 */

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAgents();
  await hub.stop();
});

test("M4: order does not come from a clock, not even from one that runs backwards", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, provider);
  const times = ["2031-01-01", "2030-01-01", "1971-01-01"];
  for (const time of times) {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(time) });
    await say(consumer, channelId, time);
  }
  vi.useRealTimers();
  const answer = await consumer.ask({ $case: "chatHistory", value: { channelId } });
  const page = answer.frame?.$case === "chatHistory" ? answer.frame.value.messages : [];
  expect(page.map((message) => message.content)).toEqual(times);
  expect(page.map((message) => Number(message.timestamp?.seconds) * 1000)).toEqual(
    times.map((time) => Date.parse(time)),
  );
  for (const time of times) expect((await provider.next("chatMessage")).content).toBe(time);
});

test("M5: a sender is told that its message is stored, whether or not it was delivered", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, provider);
  expect((await say(consumer, channelId, "there")).seq).toBe(3n);
  await provider.next("chatMessage");
  await provider.cut();
  expect((await say(consumer, channelId, "gone")).seq).toBe(4n);
});

test("C4: a caller does not wait for ever: some answer to a request always comes", async () => {
  await register(hub.address, "weather", "weather-svc");
  const consumer = openAgent(hub.address, "alice", "manual");
  await consumer.store({
    $case: "chatRequest",
    value: { serviceId: "weather-svc", timeout: { seconds: 0n, nanos: 50_000_000 } },
  });
  await consumer.next("chatReject");
});

test("M1: nothing is kept in memory alone: a restarted hub knows every chat and message", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  await provider.store({ $case: "chatAccept", value: { consumerId: "alice" } });
  await say(consumer, channelId, "before");
  await hub.restart();
  const again = openAgent(hub.address, "alice", "manual");
  expect((await say(again, channelId, "after")).seq).toBe(4n);
  const back = openAgent(hub.address, "weather", "manual");
  expect((await back.next("chatMessage")).content).toBe("before");
  expect((await back.next("chatMessage")).content).toBe("after");
});
