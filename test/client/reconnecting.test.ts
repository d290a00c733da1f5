import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConnectionEvent, IncomingMessage, IncomingRequest } from "../../src/client/index.js";
import { durationMsOf } from "../../src/protocol/time.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy, type TestProxy } from "../support/proxy.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal, take } from "./agents.js";

let hub: TestHub;
let proxy: TestProxy;

beforeEach(async () => {
  hub = await startTestHub();
  proxy = await startTestProxy(hub.address);
});
afterEach(async () => {
  await disconnectAgents();
  await proxy.stop();
  await hub.stop();
});

/** Reads events until one has this state. */
async function until(events: AsyncIterator<ConnectionEvent, void>, state: string): Promise<void> {
  while ((await take(events)).state !== state);
}

test("D1 D3: listenForMessages survives a restart of the hub and handles each entry once", async () => {
  const received = collect<IncomingMessage>();
  const listener = newAgent(hub.url, "b");
  listener.listenForMessages(received.add);
  await listener.connect();
  const sender = await connectAgent(hub.url, "a");
  const send = async (from: number, to: number) => {
    for (let n = from; n <= to; n += 1) {
      await sender.sendMessage({ targetAgent: "b", content: String(n) });
    }
  };
  await send(1, 5);
  await received.reached(5);
  await hub.restart();
  await send(6, 10);
  await hub.restart();
  await send(11, 12);
  await received.reached(12);
  const contents = received.items.map((message) => Number(message.content));
  expect(contents).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("D1 D3: messages() survives a cut connection while the loop works on an entry", async () => {
  const listener = newAgent(proxy.url, "b");
  const messages = listener.messages();
  const events = listener.connection();
  await listener.connect();
  await until(events, "connected");
  const sender = await connectAgent(hub.url, "a");
  for (const content of ["1", "2", "3"]) await sender.sendMessage({ targetAgent: "b", content });
  const first = await take(messages);
  proxy.cut();
  await until(events, "connected");
  await sender.sendMessage({ targetAgent: "b", content: "4" });
  const contents = [first.content];
  for (let n = 0; n < 3; n += 1) contents.push((await take(messages)).content);
  expect(contents).toEqual(["1", "2", "3", "4"]);
});

test("D2 D3: an ack that was lost is given again, and the entry is not handled again", async () => {
  const received = collect<IncomingMessage>();
  const acks: string[] = [];
  const listener = newAgent(proxy.url, "b", {
    onFrame({ request }) {
      for (const { channelId, seq } of request?.acks ?? []) acks.push(`${channelId} ${seq}`);
    },
  });
  const events = listener.connection();
  const handling = signal();
  const go = signal();
  listener.listenForMessages(async (message) => {
    received.add(message);
    handling.give();
    await go.promise;
  });
  await listener.connect();
  await until(events, "connected");
  const sender = await connectAgent(hub.url, "a");
  const { channelId } = await sender.sendMessage({ targetAgent: "b", content: "1" });
  await handling.promise;
  // The handler finishes while there is no connection, so its ack cannot be sent.
  await hub.halt();
  await until(events, "disconnected");
  go.give();
  await hub.resume();
  await until(events, "connected");
  await sender.sendMessage({ targetAgent: "b", content: "2" });
  await received.reached(2);
  expect(received.items.map((message) => message.content)).toEqual(["1", "2"]);
  expect(acks).toContain(`${channelId} 1`);
});

test("M2 G1: stored but the receipt was lost: sent again under the same id, stored once", async () => {
  const sender = await connectAgent(proxy.url, "a");
  const { channelId } = await sender.sendMessage({ targetAgent: "b", content: "0" });
  const watcher = newAgent(hub.url, "b");
  const messages = watcher.messages();
  await watcher.connect();
  await take(messages);
  proxy.muteHub();
  const sent = sender.sendMessage({ channelId, content: "1" });
  // Delivered to the peer, so it is stored; the sender cannot know.
  const delivered = await take(messages);
  proxy.cut();
  expect(await sent).toMatchObject({ seq: delivered.seq, duplicate: true });
  const { messages: kept } = await sender.getHistory({ channelId });
  expect(kept.map((message) => message.content)).toEqual(["0", "1"]);
});

test("M4: what has no receipt is sent again in the first order", async () => {
  const sender = await connectAgent(proxy.url, "a");
  const { channelId } = await sender.sendMessage({ targetAgent: "b", content: "0" });
  proxy.muteHub();
  const contents = Array.from({ length: 50 }, (_, n) => String(n + 1));
  const sent = contents.map((content) => sender.sendMessage({ channelId, content }));
  proxy.cut();
  const receipts = await Promise.all(sent);
  expect(receipts.map((receipt) => receipt.seq)).toEqual(contents.map((_, n) => n + 2));
  const { messages } = await sender.getHistory({ channelId, limit: 100 });
  expect(messages.map((message) => message.content)).toEqual(["0", ...contents]);
});

test("C2: requestChat finds its answer where the connection was lost in between", async () => {
  const provider = newAgent(hub.url, "p");
  const requests = provider.requests();
  await provider.connect();
  const acks = collect<bigint>();
  const consumer = await connectAgent(proxy.url, "c", {
    onFrame({ request }) {
      for (const { seq } of request?.acks ?? []) acks.add(seq);
    },
  });
  proxy.muteHub();
  const asked = consumer.requestChat({ providerId: "p" });
  const request = await take(requests);
  await request.accept({ content: "yes" });
  // Neither the receipt nor the answer has arrived: both come after the reconnect.
  proxy.cut();
  expect(await asked).toEqual({
    status: "accepted",
    channelId: request.channelId,
    content: "yes",
  });
  expect(await acks.reached(1)).toEqual([2n]);
  const { channel } = await consumer.getHistory({ channelId: request.channelId });
  expect(channel.positions.find(({ agentId }) => agentId === "c")?.ackedSeq).toBe(2);
});

test("I4: a superseded client reports it, fails its calls and stays down", async () => {
  const first = newAgent(hub.url, "a");
  const messages = first.messages();
  const events = first.connection();
  await first.connect();
  await until(events, "connected");
  const asked = expect(first.requestChat({ providerId: "p" })).rejects.toMatchObject({
    code: 10,
    reason: "SUPERSEDED",
  });
  const second = newAgent(hub.url, "a");
  const kept = second.messages();
  await second.connect();
  await until(events, "superseded");
  await asked;
  await expect(messages.next()).rejects.toMatchObject({ reason: "SUPERSEDED" });
  await expect(first.sendMessage({ targetAgent: "b", content: "x" })).rejects.toMatchObject({
    reason: "SUPERSEDED",
  });
  // The newer one still receives: nobody took the session back.
  const sender = await connectAgent(hub.url, "b");
  await sender.sendMessage({ targetAgent: "a", content: "for the second" });
  expect((await take(kept)).content).toBe("for the second");
  expect((await events.next()).done).toBe(true);
});

test("D7: another log is another log: positions and filters of the old one are forgotten", async () => {
  const other = await startTestHub();
  const received = collect<IncomingMessage>();
  const acks: string[] = [];
  const listener = newAgent(proxy.url, "b", {
    onFrame: ({ request }) => acks.push(...(request?.acks ?? []).map(({ channelId }) => channelId)),
  });
  const held = signal();
  const go = signal();
  listener.listenForMessages(async (message) => {
    received.add(message);
    if (message.content !== "old") return;
    held.give();
    await go.promise;
  });
  const events = listener.connection();
  await listener.connect();
  await until(events, "connected");
  const sender = await connectAgent(hub.url, "a");
  const old = await sender.sendMessage({ targetAgent: "b", content: "old" });
  await sender.sendMessage({ targetAgent: "b", content: "waits" });
  await held.promise;
  const newcomer = await connectAgent(other.url, "a");
  await newcomer.sendMessage({ targetAgent: "b", content: "new" });
  proxy.lead(other.address);
  proxy.cut();
  await until(events, "connected");
  go.give();
  await received.reached(2);
  expect(received.items.map((message) => message.content)).toEqual(["old", "new"]);
  expect(acks).not.toContain(old.channelId);
  await disconnectAgents();
  await other.stop();
});

test("L2: the client comes back when the hub that went away said it should", async () => {
  const waits = collect<number>();
  const client = newAgent(hub.url, "a", {
    onFrame({ response }) {
      if (response?.frame?.$case !== "goAway") return;
      waits.add(durationMsOf(response.frame.value.reconnectAfter) ?? -1);
    },
  });
  const events = client.connection();
  await client.connect();
  await until(events, "connected");
  await hub.halt();
  const event = await take(events);
  expect(event).toEqual({
    state: "disconnected",
    reason: "SHUTTING_DOWN",
    retryInMs: waits.items[0],
  });
  await hub.resume();
  await until(events, "connected");
});

test("connect() keeps trying until the hub is there", async () => {
  await hub.halt();
  const client = newAgent(hub.url, "a");
  const events = client.connection();
  const connected = client.connect();
  await until(events, "disconnected");
  await hub.resume();
  await connected;
});

test("connect() gives up at its timeout, says why, and can be called again", async () => {
  await hub.halt();
  const client = newAgent(hub.url, "a");
  const failure = client.connect({ timeoutMs: 300 });
  await expect(failure).rejects.toMatchObject({
    code: 4,
    reason: "TIMEOUT",
    message: expect.stringContaining("UNAVAILABLE"),
  });
  await expect(client.sendMessage({ targetAgent: "b", content: "x" })).rejects.toMatchObject({
    reason: "CLOSED",
  });
  await hub.resume();
  await client.connect();
  await client.sendMessage({ targetAgent: "b", content: "x" });
});

test("M4: what was refused unheard does not come behind a later message of its chat", async () => {
  const provider = newAgent(hub.url, "p");
  const asked = collect<IncomingRequest>();
  const heard = collect<IncomingMessage>();
  provider.listen({ request: asked.add, message: heard.add });
  await provider.connect();
  const witness = newAgent(hub.url, "w");
  const witnessed = collect<IncomingMessage>();
  witness.listenForMessages(witnessed.add);
  await witness.connect();
  const consumer = await connectAgent(proxy.url, "c");
  const answer = consumer.requestChat({ providerId: "p" });
  const [request] = await asked.reached(1);
  const channelId = request?.channelId ?? "";
  proxy.muteHub();
  const early = consumer.sendMessage({ channelId, content: "before the accept" });
  const told = consumer.sendMessage({ targetAgent: "w", content: "so the first was refused" });
  await witnessed.reached(1);
  await request?.accept();
  const late = consumer.sendMessage({ channelId, content: "after the accept" });
  await heard.reached(1);
  proxy.cut();
  await expect(early).rejects.toMatchObject({ reason: "OVERTAKEN", retryable: true });
  await Promise.all([told, late, answer]);
  const { messages } = await consumer.getHistory({ channelId });
  expect(messages.map(({ content }) => content)).toEqual(["after the accept"]);
});
