import { afterEach, beforeEach, expect, test } from "vitest";
import type {
  ChatClient,
  HandlerFailure,
  IncomingMessage,
  IncomingRequest,
} from "../../src/client/index.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal, take } from "./agents.js";

let hub: TestHub;
let sender: ChatClient;

beforeEach(async () => {
  hub = await startTestHub();
  sender = await connectAgent(hub.url, "a");
});
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

/** Sends contents from an agent of its own, so that each has its own channel with b. */
async function sendFrom(agentId: string, ...contents: string[]): Promise<string> {
  const agent =
    agentId === "a" ? sender : await connectAgent(hub.url, agentId, { receive: "none" });
  let channelId = "";
  for (const content of contents) {
    ({ channelId } = await agent.sendMessage({ targetAgent: "b", content }));
  }
  return channelId;
}

test("D2: leaving the loop acks nothing; asking for the next entry acks the one before", async () => {
  await sendFrom("a", "1", "2", "3");
  const first = newAgent(hub.url, "b");
  const messages = first.messages();
  await first.connect();
  const seen: string[] = [];
  for await (const message of messages) {
    seen.push(message.content);
    if (seen.length === 2) break;
  }
  await first.disconnect();
  expect(seen).toEqual(["1", "2"]);
  const second = newAgent(hub.url, "b");
  const again = second.messages();
  await second.connect();
  expect(await take(again)).toMatchObject({ content: "2", replayed: true });
});

test("D2: ack() by hand is what counts where the loop is left", async () => {
  await sendFrom("a", "1", "2", "3");
  const first = newAgent(hub.url, "b");
  const messages = first.messages();
  await first.connect();
  await take(messages);
  const second = await take(messages);
  second.ack();
  second.ack();
  await messages.return?.();
  second.ack();
  await first.disconnect();
  const later = newAgent(hub.url, "b");
  const again = later.messages();
  await later.connect();
  expect((await take(again)).content).toBe("3");
});

test("D3: what a loop left comes again to the next loop of the same client", async () => {
  const client = newAgent(hub.url, "b");
  const loop = client.messages();
  await client.connect();
  await sendFrom("a", "1", "2", "3", "4");
  await take(loop);
  const second = await take(loop);
  expect(second.content).toBe("2");
  await loop.return?.();
  const contents: string[] = [];
  for await (const message of client.messages()) {
    contents.push(message.content);
    if (contents.length === 3) break;
  }
  expect(contents).toEqual(["2", "3", "4"]);
});

test("D1: entries that came before anybody listened are not lost", async () => {
  await sendFrom("a", "1", "2");
  await sendFrom("c", "3");
  const responses = collect<string>();
  const client = newAgent(hub.url, "b", {
    onFrame({ response }) {
      if (response?.frame?.$case === "chatMessage") responses.add(response.frame.value.content);
    },
  });
  await client.connect();
  await responses.reached(3);
  const received = collect<IncomingMessage>();
  client.listenForMessages(received.add);
  const messages = await received.reached(3);
  expect(messages.map((message) => message.content).sort()).toEqual(["1", "2", "3"]);
});

test("D2: a kind nobody listens for stays unacked and blocks nobody", async () => {
  const client = newAgent(hub.url, "b");
  const received = collect<IncomingMessage>();
  const stop = client.listenForMessages(received.add);
  await client.connect();
  const asked = await sender.sendRequest({ providerId: "b", content: "please" });
  await sendFrom("a", "in another channel");
  await received.reached(1);
  stop();
  await client.disconnect();
  const later = newAgent(hub.url, "b");
  const requests = later.requests();
  await later.connect();
  expect(await take(requests)).toMatchObject({ channelId: asked.channelId, content: "please" });
});

test("a handler that throws is called again, five times; then its channel stops, the others go on", async () => {
  const failures = collect<HandlerFailure>();
  const attempts: string[] = [];
  const received = collect<string>();
  const client = newAgent(hub.url, "b", { onFailed: failures.add });
  client.listenForMessages(({ content }) => {
    attempts.push(content);
    if (content === "bad") throw new Error("cannot");
    received.add(content);
  });
  await client.connect();
  const channelId = await sendFrom("a", "good", "bad", "behind");
  const [failure] = await failures.reached(1);
  expect(failure).toMatchObject({
    channelId,
    seq: 2,
    stopped: true,
    entry: { content: "bad" },
    error: new Error("cannot"),
  });
  await sendFrom("c", "other");
  await received.reached(2);
  expect(received.items).toEqual(["good", "other"]);
  expect(attempts.filter((content) => content === "bad")).toHaveLength(5);
  expect(attempts).not.toContain("behind");
  await client.disconnect();
  // Nothing was skipped: the next session begins with the entry that failed.
  const later = newAgent(hub.url, "b");
  const again = later.messages();
  await later.connect();
  expect((await take(again)).content).toBe("bad");
  expect((await take(again)).content).toBe("behind");
});

test("disconnect() does not wait for a handler that keeps throwing; its entry comes again", async () => {
  const client = newAgent(hub.url, "b");
  const attempts = collect<string>();
  let broken = true;
  client.listenForMessages(({ content }) => {
    attempts.add(content);
    if (broken) throw new Error("cannot");
  });
  await client.connect();
  await sendFrom("a", "1");
  await attempts.reached(1);
  await client.disconnect();
  const before = attempts.items.length;
  broken = false;
  await client.connect();
  await sendFrom("a", "2");
  await attempts.reached(before + 2);
  expect(attempts.items.slice(before)).toEqual(["1", "2"]);
});

test("a handler that throws once is called again and its entry is handled", async () => {
  const contents: string[] = [];
  const done = signal();
  const client = newAgent(hub.url, "b");
  client.listenForMessages(async ({ content }) => {
    contents.push(content);
    if (contents.length === 1) throw new Error("not yet");
    if (content === "2") done.give();
  });
  await client.connect();
  await sendFrom("a", "1", "2");
  await done.promise;
  expect(contents).toEqual(["1", "1", "2"]);
});

test("a handler that throws after ack() is not called again, and its channel goes on", async () => {
  const failures = collect<HandlerFailure>();
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { onFailed: failures.add });
  client.listenForMessages((message) => {
    contents.add(message.content);
    if (message.content !== "1") return;
    message.ack();
    throw new Error("too late");
  });
  await client.connect();
  await sendFrom("a", "1", "2");
  expect(await contents.reached(2)).toEqual(["1", "2"]);
  expect(failures.items).toMatchObject([{ seq: 1, stopped: false }]);
});

test("a slow chat blocks only itself, and its own entries stay in order", async () => {
  const slow = signal();
  const contents = collect<string>();
  const client = newAgent(hub.url, "b");
  client.listenForMessages(async ({ content }) => {
    if (content === "slow 1") await slow.promise;
    contents.add(content);
  });
  await client.connect();
  await sendFrom("a", "slow 1", "slow 2");
  await sendFrom("c", "quick 1", "quick 2");
  expect(await contents.reached(2)).toEqual(["quick 1", "quick 2"]);
  slow.give();
  expect(await contents.reached(4)).toEqual(["quick 1", "quick 2", "slow 1", "slow 2"]);
});

test("at most maxConcurrentChannels handlers run at once", async () => {
  let running = 0;
  let most = 0;
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { maxConcurrentChannels: 2 });
  const gates = [signal(), signal(), signal()];
  const begun = collect<string>();
  client.listenForMessages(async ({ content }) => {
    running += 1;
    most = Math.max(most, running);
    const gate = gates[begun.items.length];
    begun.add(content);
    await gate?.promise;
    running -= 1;
    contents.add(content);
  });
  await client.connect();
  for (const agentId of ["c", "d", "e"]) await sendFrom(agentId, agentId);
  await begun.reached(2);
  gates[0]?.give();
  await begun.reached(3);
  gates[1]?.give();
  gates[2]?.give();
  await contents.reached(3);
  expect(most).toBe(2);
});

test("D3: more than fits into the buffer is fetched again: nothing lost, repeated or reordered", async () => {
  const numbers = Array.from({ length: 120 }, (_, n) => String(n));
  const channelId = await sendFrom("a", ...numbers.map((n) => `a${n}`));
  await sendFrom("c", ...numbers.map((n) => `c${n}`));
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { maxBufferedEntries: 8, maxConcurrentChannels: 2 });
  client.listenForMessages(async (message) => {
    // Its receipt comes over the stream that brings the entries: waiting for it must not hang.
    if (message.content.endsWith("7")) await message.reply("noted");
    contents.add(message.content);
  });
  await client.connect();
  await contents.reached(240);
  const of = (letter: string) => contents.items.filter((content) => content.startsWith(letter));
  expect(of("a")).toEqual(numbers.map((n) => `a${n}`));
  expect(of("c")).toEqual(numbers.map((n) => `c${n}`));
  const { channel } = await client.getHistory({ channelId, limit: 1 });
  expect(channel.lastSeq).toBe(132);
});

test("a stuck chat with more than the buffer holds does not keep the others out", async () => {
  const stuck = signal();
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { maxBufferedEntries: 8 });
  client.listenForMessages(async ({ content }) => {
    if (content.startsWith("stuck")) await stuck.promise;
    contents.add(content);
  });
  await sendFrom("a", ...Array.from({ length: 30 }, (_, n) => `stuck ${n}`));
  await client.connect();
  await sendFrom("c", ...Array.from({ length: 30 }, (_, n) => `quick ${n}`));
  const quick = await contents.reached(30);
  expect(quick).toEqual(Array.from({ length: 30 }, (_, n) => `quick ${n}`));
  stuck.give();
  await contents.reached(60);
  expect(new Set(contents.items).size).toBe(60);
});

test("a loop over requests may hold the whole chat in its body", async () => {
  const provider = newAgent(hub.url, "b");
  const requests = provider.requests();
  const messages = provider.messages();
  await provider.connect();
  const asked = sender.requestChat({ providerId: "b" });
  const request: IncomingRequest = await take(requests);
  await request.accept();
  const { channelId } = await asked;
  await sender.sendMessage({ channelId, content: "within" });
  expect((await take(messages)).content).toBe("within");
});

test("a kind has one listener; a second one is refused until the first is gone", async () => {
  const client = newAgent(hub.url, "b");
  const stop = client.listenForMessages(() => {});
  expect(() => client.messages()).toThrow(
    expect.objectContaining({ reason: "ALREADY_LISTENING", code: 9 }),
  );
  client.requests();
  stop();
  client.messages();
});
