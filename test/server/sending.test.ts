import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChatMessage } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { activeChat, register, request, say } from "./chat.js";

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

test("M1: what has a receipt is in the file when the receipt is read", async () => {
  const channelId = await activeChat(consumer, provider);
  const receipt = await say(consumer, channelId, "keep me", "m-1");
  await hub.halt();
  // Read by other code than the hub's.
  const database = new DatabaseSync(hub.dbPath, { readOnly: true });
  const rows = database.prepare("SELECT seq FROM entries WHERE key = 'm-1'").all();
  database.close();
  expect(rows).toEqual([{ seq: Number(receipt.seq) }]);
});

test("M2: a repeat gets the first receipt, marked duplicate, and is not delivered again", async () => {
  const channelId = await activeChat(consumer, provider);
  const first = await say(consumer, channelId, "once", "m-1");
  await consumer.store({ $case: "chatEnd", value: { channelId } });
  // Even into a chat that has ended meanwhile.
  const again = await say(consumer, channelId, "once", "m-1");
  expect(again).toMatchObject({ ...first, duplicate: true, requestId: again.requestId });
  await provider.next("chatEnd");
  await provider.settled();
  expect(provider.responses.filter((one) => one.frame?.$case === "chatMessage")).toHaveLength(1);
});

test("M2: the same id with another content is refused and the first message stays", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "first", "m-1");
  const another = await activeChat(consumer, provider);
  const others: Partial<ChatMessage>[] = [
    { channelId: another, messageId: "m-1", content: "first" },
    { channelId, messageId: "m-1", content: "second" },
    { channelId, messageId: "m-1", content: "first", replyTo: "m-0" },
    { channelId, messageId: "m-1", content: "first", data: Buffer.from([1]) },
    { targetAgent: "weather", messageId: "m-1", content: "first" },
  ];
  for (const value of others) {
    expect(await consumer.refusal({ $case: "chatMessage", value })).toBe("MESSAGE_ID_REUSED");
  }
  const page = await consumer.ask({ $case: "chatHistory", value: { channelId } });
  expect(page.frame?.$case === "chatHistory" && page.frame.value.messages).toMatchObject([
    { content: "first" },
  ]);
});

test("M2: a message that names no channel there is asks whether its id is used, and is never stored", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "first", "m-1");
  await consumer.store({ $case: "chatEnd", value: { channelId } });
  const stored = hub.entryCount();
  const ask = (messageId: string) =>
    consumer.refusal({
      $case: "chatMessage",
      value: { channelId: "?", messageId, content: "?" },
    });
  expect(await ask("m-1")).toBe("MESSAGE_ID_REUSED");
  expect(await ask("m-2")).toBe("CHANNEL_NOT_FOUND");
  expect(await ask("m-2")).toBe("CHANNEL_NOT_FOUND");
  expect(hub.entryCount()).toBe(stored);
});

test("M2: a retry may carry other metadata; another agent may use the same id", async () => {
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "once", "m-1");
  const retry = await consumer.store({
    $case: "chatMessage",
    value: {
      channelId,
      content: "once",
      messageId: "m-1",
      metadata: new Map([["traceparent", "00-new"]]),
    },
  });
  expect(retry.duplicate).toBe(true);
  const theirs = await say(provider, channelId, "mine", "m-1");
  expect(theirs).toMatchObject({ duplicate: false, seq: 4n });
});

test("M2: messages without an id never overwrite one another", async () => {
  const channelId = await activeChat(consumer, provider);
  const ids = new Set<string>();
  for (const content of ["a", "a", "a"]) {
    ids.add((await say(consumer, channelId, content)).messageId);
  }
  expect(ids.size).toBe(3);
  const page = await consumer.ask({ $case: "chatHistory", value: { channelId } });
  expect(page.frame?.$case === "chatHistory" && page.frame.value.messages).toHaveLength(3);
});

test("C2: a repeated request gets the first receipt, whatever became of it", async () => {
  await register(hub.address, "weather", "weather-svc");
  const value = { serviceId: "weather-svc", idempotencyKey: "k-1" };
  const first = await consumer.store({ $case: "chatRequest", value });
  await provider.store({ $case: "chatReject", value: { consumerId: "alice" } });
  const again = await consumer.store({ $case: "chatRequest", value });
  expect(again).toMatchObject({ channelId: first.channelId, seq: 1n, duplicate: true });
  const other = await request(consumer, "weather-svc");
  expect(other.channelId).not.toBe(first.channelId);
});

test("M3 M4: a burst is stored in the order sent, with gapless seqs, and delivered so", async () => {
  const channelId = await activeChat(consumer, provider);
  const receipts = await Promise.all(
    Array.from({ length: 300 }, (_, index) => say(consumer, channelId, `${index}`)),
  );
  expect(receipts.map((receipt) => receipt.seq)).toEqual(
    Array.from({ length: 300 }, (_, index) => BigInt(index + 3)),
  );
  for (let index = 0; index < 300; index += 1) {
    const seq = BigInt(index + 3);
    expect(await provider.next("chatMessage")).toMatchObject({ content: `${index}`, seq });
    if (index === 200) provider.ack(channelId, seq);
  }
});

test("M5: every request is answered once and in order, refused ones and ones without an id too", async () => {
  const channelId = await activeChat(consumer, provider);
  await consumer.next("chatAccept");
  const before = consumer.responses.length;
  consumer.sendRequest({ frame: { $case: "chatMessage", value: { channelId, content: "1" } } });
  consumer.sendRequest({ requestId: "e" });
  consumer.sendRequest({ frame: { $case: "chatEnd", value: { channelId: "ch_none" } } });
  consumer.sendRequest({
    requestId: "m2",
    heartbeat: true,
    frame: { $case: "chatMessage", value: { channelId, content: "2" } },
  });
  consumer.sendRequest({ requestId: "h", heartbeat: true });
  consumer.sendRequest({ acks: [{ channelId, seq: 2n }] });
  await consumer.settled();
  const answers = consumer.responses.slice(before, -1).map((response) => ({
    id: response.requestId,
    receipts: response.receipts.map((receipt) => receipt.requestId),
    frame: response.frame?.$case,
  }));
  expect(answers).toEqual([
    { id: "", receipts: [""], frame: undefined },
    { id: "e", receipts: [], frame: "error" },
    { id: "", receipts: [], frame: "error" },
    { id: "", receipts: ["m2"], frame: undefined },
    { id: "h", receipts: [], frame: undefined },
  ]);
});

test("A1 A3: target_agent alone takes the channel used last, else a new direct one", async () => {
  const direct = await consumer.store({
    $case: "chatMessage",
    value: { targetAgent: "weather", content: "hi" },
  });
  expect(direct.seq).toBe(1n);
  expect(await provider.next("chatMessage")).toMatchObject({
    channelId: direct.channelId,
    targetAgent: "weather",
  });
  const other = await activeChat(consumer, provider);
  await say(provider, direct.channelId, "used last");
  const third = await consumer.store({
    $case: "chatMessage",
    value: { targetAgent: "weather", content: "follows" },
  });
  expect(third.channelId).toBe(direct.channelId);
  await say(consumer, other, "now this one");
  const back = await provider.store({
    $case: "chatMessage",
    value: { targetAgent: "alice", content: "from the other side" },
  });
  expect(back.channelId).toBe(other);
});

test("A2: service_id takes the newest active channel about it", async () => {
  await register(hub.address, "weather", "weather-svc");
  const older = await request(consumer, "weather-svc");
  const newer = await request(consumer, "weather-svc");
  await provider.store({ $case: "chatAccept", value: { channelId: newer.channelId } });
  await provider.store({ $case: "chatAccept", value: { channelId: older.channelId } });
  const receipt = await consumer.store({
    $case: "chatMessage",
    value: { serviceId: "weather-svc", content: "x" },
  });
  expect(receipt.channelId).toBe(newer.channelId);
});

test("M7: a request_id that is no key is refused and not echoed", async () => {
  await consumer.next("sessionStarted");
  consumer.sendRequest({ requestId: "x".repeat(100_000), heartbeat: true });
  const error = await consumer.next("error");
  expect(error).toMatchObject({
    reason: "INVALID_ID",
    message: expect.stringContaining("request_id"),
  });
});
