import { afterEach, expect, test } from "vitest";
import type { ChatClientOptions, ConnectionEvent, PeerProgress } from "../../src/client/index.js";
import type { HubOptions } from "../../src/server/hub.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import {
  type Collection,
  collect,
  connectAgent,
  disconnectAgents,
  newAgent,
  signal,
  take,
} from "./agents.js";

/** For thousands of entries on a busy machine. */
const LONG_MS = 180_000;
let hub: TestHub;
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

async function serve(options: Partial<HubOptions> = {}): Promise<void> {
  hub = await startTestHub(options);
}

/** Sends so many messages to b in a channel of each sender: "<sender> 0", "<sender> 1", … */
async function backlog(senders: string[], count: number): Promise<void> {
  for (const agentId of senders) {
    const sender = await connectAgent(hub.url, agentId, { receive: "none", timeoutMs: 60_000 });
    // In parts, so that none waits long for its turn.
    for (let first = 0; first < count; first += 500) {
      const part = Array.from({ length: Math.min(500, count - first) }, (_, n) =>
        sender.sendMessage({ targetAgent: "b", content: `${agentId} ${first + n}` }),
      );
      await Promise.all(part);
    }
    await sender.disconnect();
  }
}

/** What a client of b is sent: the message of each delivery, and the greetings. */
function watchedAgent(options: Partial<ChatClientOptions> = {}) {
  const deliveries = collect<string>();
  let sessions = 0;
  const client = newAgent(hub.url, "b", {
    ...options,
    onFrame({ response }) {
      if (response?.frame?.$case === "chatMessage") deliveries.add(response.frame.value.content);
      if (response?.frame?.$case === "sessionStarted") sessions += 1;
    },
  });
  return { client, deliveries, sessions: () => sessions };
}

function expectInOrder(contents: string[], senders: string[], count: number): void {
  for (const agentId of senders) {
    const own = contents.filter((content) => content.startsWith(`${agentId} `));
    expect(own).toEqual(Array.from({ length: count }, (_, n) => `${agentId} ${n}`));
  }
}

/** Resolves when the client was sent nothing more over a few round trips. */
async function quiet(deliveries: Collection<string>, turn: () => Promise<unknown>): Promise<void> {
  for (let before = -1; before !== deliveries.items.length; ) {
    before = deliveries.items.length;
    for (let n = 0; n < 5; n += 1) await turn();
  }
}

test("D5: a backlog of 3,000 travels once where handlers are slow, and no more waits than may be unacked", {
  timeout: LONG_MS,
}, async () => {
  await serve();
  const senders = ["s1", "s2", "s3", "s4", "s5"];
  await backlog(senders, 600);
  const { client, deliveries, sessions } = watchedAgent();
  const go = signal();
  const contents = collect<string>();
  client.listenForMessages(async ({ content }) => {
    await go.promise;
    contents.add(content);
  });
  await client.connect();
  await deliveries.reached(1_024);
  await quiet(deliveries, async () => take(client.listChannels()));
  expect(deliveries.items).toHaveLength(1_024);
  go.give();
  await contents.reached(3_000);
  expectInOrder(contents.items, senders, 600);
  expect(deliveries.items).toHaveLength(3_000);
  expect(sessions()).toBe(1);
});

test("D5: a loop that does not ask is sent no more than may be unacked of 4,000, and reads on", {
  timeout: LONG_MS,
}, async () => {
  await serve();
  await backlog(["s"], 4_000);
  const { client, deliveries, sessions } = watchedAgent();
  const messages = client.messages();
  await client.connect();
  await deliveries.reached(256);
  await quiet(deliveries, async () => take(client.listChannels()));
  expect(deliveries.items).toHaveLength(256);
  const contents: string[] = [];
  while (contents.length < 4_000) contents.push((await take(messages)).content);
  expectInOrder(contents, ["s"], 4_000);
  expect(deliveries.items).toHaveLength(4_000);
  expect(sessions()).toBe(1);
});

test("D5: what nobody listens for holds up nobody, and comes when somebody listens", async () => {
  await serve({ maxUnackedPerChannel: 4, maxUnacked: 8 });
  const consumer = await connectAgent(hub.url, "a", { receive: "none" });
  for (let n = 0; n < 20; n += 1) await consumer.sendRequest({ providerId: "b", content: `${n}` });
  await backlog(["s"], 30);
  const { client } = watchedAgent();
  const contents = collect<string>();
  client.listenForMessages(({ content }) => contents.add(content));
  await client.connect();
  await contents.reached(30);
  const requests = client.requests();
  const asked: string[] = [];
  for (let n = 0; n < 20; n += 1) asked.push((await take(requests)).content);
  expect(asked.map(Number).sort((one, other) => one - other)).toEqual(
    Array.from({ length: 20 }, (_, n) => n),
  );
  expectInOrder(contents.items, ["s"], 30);
});

test("D5: what is skipped while an earlier entry is worked on holds up nobody either", async () => {
  await serve({ maxUnackedPerChannel: 4, maxUnacked: 8 });
  const provider = watchedAgent().client;
  const go = signal();
  const begun = collect<string>();
  provider.listen({
    async request(request) {
      begun.add(request.channelId);
      await go.promise;
    },
  });
  await provider.connect();
  // Nobody listens for the ends, and the requests before them are worked on for long.
  const consumer = await connectAgent(hub.url, "a");
  for (let n = 0; n < 6; n += 1) {
    const { channelId } = await consumer.sendRequest({ providerId: "b" });
    await consumer.endChat({ channelId });
  }
  await begun.reached(6);
  go.give();
  for (let n = 0; n < 6; n += 1) await consumer.sendRequest({ providerId: "b" });
  await begun.reached(12);
});

test("D5: a requestChat gets its answer though the loop it stands in holds all that may be unacked", async () => {
  await serve({ maxUnackedPerChannel: 4, maxUnacked: 8 });
  const senders = ["s1", "s2", "s3", "s4"];
  await backlog(senders, 10);
  const provider = newAgent(hub.url, "p");
  provider.listen({
    async request(request) {
      await request.accept({ content: "yes" });
    },
  });
  await provider.connect();
  const { client, deliveries } = watchedAgent();
  const messages = client.messages();
  await client.connect();
  const contents = [(await take(messages)).content];
  await deliveries.reached(8);
  const answer = await client.requestChat({ providerId: "p" }, { timeoutMs: 10_000 });
  expect(answer).toMatchObject({ status: "accepted", content: "yes" });
  while (contents.length < 40) contents.push((await take(messages)).content);
  expectInOrder(contents, senders, 10);
});

test("D5: channels that are behind in a small buffer hold up no other", async () => {
  await serve({ maxUnackedPerChannel: 16, maxUnacked: 32 });
  const stuck = ["s1", "s2"];
  await backlog(stuck, 40);
  const { client, deliveries } = watchedAgent({ maxBufferedEntries: 4 });
  const go = signal();
  const contents = collect<string>();
  client.listenForMessages(async ({ content }) => {
    if (content.startsWith("s")) await go.promise;
    contents.add(content);
  });
  await client.connect();
  await deliveries.reached(32);
  await backlog(["quick"], 10);
  expect(await contents.reached(10)).toEqual(Array.from({ length: 10 }, (_, n) => `quick ${n}`));
  go.give();
  await contents.reached(90);
  expectInOrder(contents.items, stuck, 40);
});

test("D6: onProgress tells how far the peer has handled what this agent sent", async () => {
  await serve();
  const progress = collect<PeerProgress>();
  const sender = await connectAgent(hub.url, "a", { onProgress: progress.add });
  const reader = newAgent(hub.url, "b");
  const messages = reader.messages();
  await reader.connect();
  const { channelId } = await sender.sendMessage({ targetAgent: "b", content: "1" });
  await take(messages);
  expect(progress.items).toEqual([]);
  void messages.next();
  expect(await progress.reached(1)).toEqual([{ channelId, agentId: "b", ackedSeq: 1 }]);
});

test("a session says in its event what is about to be replayed, and its limits", async () => {
  await serve({ maxUnacked: 100, maxUnackedPerChannel: 10, heartbeatIntervalMs: 5_000 });
  await backlog(["s"], 3);
  const client = newAgent(hub.url, "b");
  const events = client.connection();
  await client.connect();
  let event: ConnectionEvent;
  do event = await take(events);
  while (event.state !== "connected");
  expect(event).toEqual({
    state: "connected",
    sessionId: expect.any(String),
    storeEpoch: expect.any(String),
    backlog: 3,
    limits: {
      maxMessageBytes: 1024 * 1024,
      maxUnackedPerChannel: 10,
      maxUnacked: 100,
      maxUnackedBytes: 8 * 1024 * 1024,
      heartbeatIntervalMs: 5_000,
    },
  });
});

test("D3: more bytes than the buffer takes are fetched again: nothing lost, repeated or reordered", async () => {
  await serve();
  const filler = "x".repeat(8 * 1024);
  const senders = ["s1", "s2"];
  for (const agentId of senders) {
    const sender = await connectAgent(hub.url, agentId, { receive: "none" });
    const sent = Array.from({ length: 60 }, (_, n) =>
      sender.sendMessage({ targetAgent: "b", content: `${agentId} ${n} ${filler}` }),
    );
    await Promise.all(sent);
  }
  const { client, deliveries, sessions } = watchedAgent({ maxBufferedBytes: 64 * 1024 });
  const go = signal();
  const contents = collect<string>();
  client.listenForMessages(async ({ content }) => {
    await go.promise;
    contents.add(content.slice(0, content.lastIndexOf(" ")));
  });
  await client.connect();
  await deliveries.reached(120);
  go.give();
  await contents.reached(120);
  expectInOrder(contents.items, senders, 60);
  expect(sessions()).toBeGreaterThan(1);
});
