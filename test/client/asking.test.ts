import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Inbox } from "../../src/client/inbox.js";
import type { IncomingRequest } from "../../src/client/index.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy } from "../support/proxy.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal, take } from "./agents.js";

let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await disconnectAgents();
  await hub.stop();
});

test("C2: a handler's requestChat gets its answer although the buffer is full", async () => {
  const provider = newAgent(hub.url, "p");
  provider.listen({ request: async (request) => void (await request.accept()) });
  await provider.connect();
  for (const agentId of ["x", "y", "z"]) {
    const sender = await connectAgent(hub.url, agentId, { receive: "none" });
    await sender.sendMessage({ targetAgent: "c", content: "hello" });
  }
  const full = signal();
  const delivered = collect<string>();
  const consumer = newAgent(hub.url, "c", {
    maxBufferedEntries: 1,
    maxConcurrentChannels: 1,
    onFrame({ response }) {
      if (response?.frame?.$case !== "chatMessage") return;
      delivered.add(response.frame.value.channelId);
      if (delivered.items.length === 3) full.give();
    },
  });
  const answers = collect<string>();
  consumer.listenForMessages(async () => {
    if (answers.items.length > 0) return;
    await full.promise;
    const { status } = await consumer.requestChat({ providerId: "p" }, { timeoutMs: 5_000 });
    answers.add(status);
  });
  await consumer.connect();
  expect(await answers.reached(1)).toEqual(["accepted"]);
});

test("C2: asking again under the same key gets an answer that came while nobody waited", async () => {
  const provider = newAgent(hub.url, "p");
  const requests = provider.requests();
  await provider.connect();
  const accepts = collect<string>();
  const consumer = newAgent(hub.url, "c", {
    onFrame({ response }) {
      if (response?.frame?.$case === "chatAccept") accepts.add(response.frame.value.channelId);
    },
  });
  await consumer.connect();
  const request = { providerId: "p", idempotencyKey: "k" };
  const givenUp = new AbortController();
  const first = expect(
    consumer.requestChat(request, { signal: givenUp.signal }),
  ).rejects.toMatchObject({ reason: "ABORTED_BY_CALLER" });
  const pending: IncomingRequest = await take(requests);
  givenUp.abort();
  await first;
  await pending.accept({ content: "yes" });
  await accepts.reached(1);
  expect(await consumer.requestChat(request, { timeoutMs: 5_000 })).toEqual({
    status: "accepted",
    channelId: pending.channelId,
    content: "yes",
  });
});

test("D7: requestChat fails where the hub comes back with another log", async () => {
  const other = await startTestHub();
  const proxy = await startTestProxy(hub.address);
  const receipts = collect<string>();
  const consumer = newAgent(proxy.url, "c", {
    onFrame: ({ response }) => {
      for (const { channelId } of response?.receipts ?? []) receipts.add(channelId);
    },
  });
  await consumer.connect();
  const asked = expect(
    consumer.requestChat({ providerId: "p" }, { timeoutMs: 5_000 }),
  ).rejects.toMatchObject({ code: 10, reason: "STORE_CHANGED", retryable: true });
  await receipts.reached(1);
  proxy.lead(other.address);
  proxy.cut();
  await asked;
  await consumer.disconnect();
  await proxy.stop();
  await other.stop();
});

test("C3: a channel that the provider rejected is over for its client as well", async () => {
  const ended = vi.spyOn(Inbox.prototype, "ended");
  const provider = newAgent(hub.url, "p");
  const requests = provider.requests();
  await provider.connect();
  const consumer = await connectAgent(hub.url, "c");
  const { channelId } = await consumer.sendRequest({ providerId: "p" });
  await (await take(requests)).reject({ code: "busy" });
  expect(ended).toHaveBeenCalledWith(channelId);
});
