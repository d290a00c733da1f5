import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, activeChat } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("L1: after a half-close everything read is answered, then the stream ends with OK", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, provider);
  const { length } = consumer.responses;
  for (let count = 0; count < 50; count += 1) {
    consumer.sendRequest({
      requestId: `${count}`,
      frame: { $case: "chatMessage", value: { channelId, content: `${count}` } },
    });
  }
  consumer.halfClose();
  expect(await consumer.ended).toMatchObject({ code: 0 });
  const answered = consumer.responses.slice(length).flatMap((response) => response.receipts);
  expect(answered.map((receipt) => receipt.requestId)).toEqual(
    Array.from({ length: 50 }, (_, index) => `${index}`),
  );
});

test("L1: a half-closed receiving session gets no further delivery", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, provider);
  provider.halfClose();
  expect((await provider.ended).code).toBe(0);
  await consumer.store({ $case: "chatMessage", value: { channelId, content: "too late" } });
  expect(provider.responses.some((one) => one.frame?.$case === "chatMessage")).toBe(false);
  const back = openAgent(hub.address, "weather", "manual");
  expect((await back.next("chatMessage")).content).toBe("too late");
});

test("L2: a stopping hub says so, answers what it has read, and takes nothing new", async () => {
  const agent = openAgent(hub.address, "alice", "manual");
  const idle = openAgent(hub.address, "weather", "manual");
  await agent.next("sessionStarted");
  await idle.next("sessionStarted");
  await agent.settled();
  const receipt = agent.store({ $case: "chatRequest", value: { providerId: "weather" } });
  await idle.next("chatRequest");
  const halted = hub.halt();
  expect((await receipt).seq).toBe(1n);
  for (const one of [agent, idle]) {
    const word = await one.next("goAway");
    expect(word).toMatchObject({ reason: "SHUTTING_DOWN", reconnect: true });
    const waitMs =
      Number(word.reconnectAfter?.nanos) / 1e6 + Number(word.reconnectAfter?.seconds) * 1e3;
    expect(waitMs).toBeGreaterThanOrEqual(100);
    expect(waitMs).toBeLessThanOrEqual(2_000);
    expect(await one.ended).toMatchObject({
      code: 14,
      details: expect.stringContaining("SHUTTING_DOWN"),
    });
  }
  await halted;
  await expect(call(hub.address, "alice", "listChannels", ANY_CHANNEL)).rejects.toMatchObject({
    code: 14,
  });
  await hub.resume();
  const back = openAgent(hub.address, "weather", "manual");
  expect((await back.next("chatRequest")).consumerId).toBe("alice");
});
