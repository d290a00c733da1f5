import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { connectAgent, disconnectAgents, newAgent, take } from "./agents.js";

let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

test("S1 C2 C3 M1 M6 C6: the whole conversation in the vocabulary of the original", async () => {
  const provider = newAgent(hub.url, "weather-provider");
  const requests = provider.requests();
  const questions = provider.messages();
  await provider.connect();
  const service = await provider.registerService({
    serviceId: "weather-svc",
    description: "Tells the weather.",
    tags: ["weather"],
    metadata: { lang: "en" },
  });
  expect(service).toMatchObject({ providerId: "weather-provider", acceptPolicy: "manual" });

  const consumer = newAgent(hub.url, "weather-consumer");
  const replies = consumer.messages();
  await consumer.connect();
  const asked = consumer.requestChat({ serviceId: "weather-svc", content: "Berlin?" });
  const request = await take(requests);
  expect(request).toMatchObject({
    kind: "request",
    consumerId: "weather-consumer",
    serviceId: "weather-svc",
    content: "Berlin?",
    seq: 1,
  });
  await provider.acceptChat({ consumerId: "weather-consumer", content: "Sure" });
  const answer = await asked;
  expect(answer).toEqual({ status: "accepted", channelId: request.channelId, content: "Sure" });

  const { channelId } = answer;
  const receipt = await consumer.sendMessage({
    channelId,
    content: "Rain?",
    metadata: { traceparent: "00-1" },
  });
  expect(receipt).toMatchObject({ channelId, seq: 3, duplicate: false });
  const question = await take(questions);
  expect(question).toMatchObject({
    content: "Rain?",
    senderId: "weather-consumer",
    messageId: receipt.messageId,
    metadata: { traceparent: "00-1" },
    seq: 3,
  });
  expect(question.timestamp).toEqual(receipt.timestamp);
  await question.reply("No");
  const reply = await take(replies);
  expect(reply).toMatchObject({ channelId, content: "No", replyTo: receipt.messageId });

  const end = await consumer.endChat({ channelId, code: "completed" });
  expect(end.seq).toBe(5);
  const history = await provider.getHistory({ channelId });
  expect(history.messages.map((message) => message.content)).toEqual(["Rain?", "No"]);
  expect(history.channel).toMatchObject({ state: "ended", endCode: "completed", lastSeq: 5 });
  expect(history.hasMore).toBe(false);
});

test("C3: a rejected request resolves with its reason, code and retryAfterMs", async () => {
  const provider = newAgent(hub.url, "p");
  provider.listen({
    async request(request) {
      await request.reject({ reason: "Busy", code: "busy", retryAfterMs: 1500 });
    },
  });
  await provider.connect();
  await provider.registerService({ serviceId: "svc" });
  const consumer = await connectAgent(hub.url, "c");
  expect(await consumer.requestChat({ serviceId: "svc" })).toMatchObject({
    status: "rejected",
    reason: "Busy",
    code: "busy",
    retryAfterMs: 1500,
  });
});

test("C4: a request nobody answers resolves as expired", async () => {
  const provider = await connectAgent(hub.url, "p");
  await provider.registerService({ serviceId: "svc" });
  const consumer = await connectAgent(hub.url, "c");
  const answer = await consumer.requestChat({ serviceId: "svc", answerWithinMs: 50 });
  expect(answer).toMatchObject({ status: "expired", code: "expired" });
});

test("C4: a request that is taken back rejects with CHANNEL_ENDED", async () => {
  const consumer = newAgent(hub.url, "c");
  await consumer.connect();
  const provider = newAgent(hub.url, "p");
  const requests = provider.requests();
  await provider.connect();
  const asked = expect(consumer.requestChat({ providerId: "p" })).rejects.toMatchObject({
    reason: "CHANNEL_ENDED",
  });
  const { channelId } = await take(requests);
  await consumer.endChat({ channelId });
  await asked;
});

test("C2: asking again under the same key finds an answer that was handled long ago", async () => {
  const provider = newAgent(hub.url, "p");
  provider.listen({
    async request(request) {
      await request.accept({ content: "yes" });
    },
  });
  await provider.connect();
  await provider.registerService({ serviceId: "svc" });
  const consumer = await connectAgent(hub.url, "c");
  const request = { serviceId: "svc", idempotencyKey: "k1" };
  const first = await consumer.requestChat(request);
  await consumer.disconnect();
  const again = await connectAgent(hub.url, "c");
  expect(await again.requestChat(request)).toEqual({
    status: "accepted",
    channelId: first.channelId,
  });
});

test("C5: a service that accepts by itself answers requestChat too", async () => {
  const provider = await connectAgent(hub.url, "p");
  await provider.registerService({ serviceId: "auto", acceptPolicy: "auto" });
  const consumer = await connectAgent(hub.url, "c");
  expect(await consumer.requestChat({ serviceId: "auto" })).toMatchObject({ status: "accepted" });
});

test("I1 C7: a refusal is an error with code, reason and retryable", async () => {
  const consumer = await connectAgent(hub.url, "c");
  await expect(consumer.sendMessage({ channelId: "ch_none", content: "x" })).rejects.toMatchObject({
    name: "ChatHubError",
    code: 5,
    reason: "CHANNEL_NOT_FOUND",
    retryable: false,
  });
  await expect(consumer.unregisterService("none")).rejects.toMatchObject({
    code: 5,
    reason: "SERVICE_NOT_FOUND",
  });
});

test("S1 C7: services and channels are listed over all pages", async () => {
  const provider = await connectAgent(hub.url, "p");
  const ids = Array.from({ length: 130 }, (_, n) => `svc-${String(n).padStart(3, "0")}`);
  await Promise.all(
    ids.map((serviceId) => provider.registerService({ serviceId, tags: ["many"] })),
  );
  const listed: string[] = [];
  for await (const { serviceId } of provider.listServices({ tags: ["many"] })) {
    listed.push(serviceId);
  }
  expect(listed).toEqual(ids);

  const consumer = await connectAgent(hub.url, "c");
  await consumer.sendRequest({ serviceId: "svc-007" });
  const channels = [];
  for await (const channel of consumer.listChannels({ state: "requested" })) {
    channels.push(channel);
  }
  expect(channels).toMatchObject([{ serviceId: "svc-007", providerId: "p", consumerId: "c" }]);
});

test("M2: a message carries bytes, and its id is stored once", async () => {
  const sender = await connectAgent(hub.url, "a");
  const receiver = newAgent(hub.url, "b");
  const messages = receiver.messages();
  await receiver.connect();
  const message = {
    targetAgent: "b",
    messageId: "m1",
    data: new Uint8Array([1, 2, 255]),
    contentType: "application/octet-stream",
  };
  const first = await sender.sendMessage(message);
  const second = await sender.sendMessage(message);
  expect(second).toEqual({ ...first, duplicate: true });
  const received = await take(messages);
  expect([...received.data]).toEqual([1, 2, 255]);
  expect(received).toMatchObject({ contentType: "application/octet-stream", targetAgent: "b" });
});

test("every frame can be traced as it travels", async () => {
  const frames: string[] = [];
  const client = await connectAgent(hub.url, "a", {
    onFrame({ direction, request, response }) {
      const kind = request?.frame?.$case ?? response?.frame?.$case ?? "receipts";
      frames.push(`${direction} ${kind}`);
    },
  });
  await client.sendMessage({ targetAgent: "b", content: "hi" });
  expect(frames).toEqual(["received sessionStarted", "sent chatMessage", "received receipts"]);
});
