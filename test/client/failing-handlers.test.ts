import { afterEach, expect, test, vi } from "vitest";
import type { ChatClient, HandlerFailure } from "../../src/client/index.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal } from "./agents.js";

/** What may be unacked, in a channel and in all. */
const PER_CHANNEL = 16;
const TOTAL = 32;
let hub: TestHub;
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

/** A hub, and an agent for each of these that has so many messages for b: "<agent> 0", … */
async function serveBacklog(senders: string[], count: number): Promise<void> {
  hub = await startTestHub({ maxUnackedPerChannel: PER_CHANNEL, maxUnacked: TOTAL });
  for (const agentId of senders) {
    const sender = await connectAgent(hub.url, agentId, { receive: "none" });
    await sendAll(sender, numbered(agentId, count));
  }
}

function sendAll(sender: ChatClient, contents: string[]): Promise<unknown> {
  return Promise.all(contents.map((content) => sender.sendMessage({ targetAgent: "b", content })));
}

function numbered(agentId: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${agentId} ${n}`);
}

function of(agentId: string, contents: string[]): string[] {
  return contents.filter((content) => content.startsWith(`${agentId} `));
}

test("D5: stopped channels hold up no other, whatever waits in them; later it comes, in order", async () => {
  // More than may be unacked of a channel waits behind each entry that fails, and more in all.
  const stopped = ["s1", "s2", "s3"];
  await serveBacklog(stopped, 40);
  const failures = collect<HandlerFailure>();
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { onFailed: failures.add });
  const stop = client.listenForMessages(({ content }) => {
    if (content.startsWith("s")) throw new Error("cannot");
    contents.add(content);
  });
  await client.connect();
  await failures.reached(3);
  expect(failures.items).toMatchObject(
    Array.from({ length: 3 }, () => ({ seq: 1, stopped: true })),
  );
  const acked = signal();
  const other = await connectAgent(hub.url, "other", {
    onProgress: ({ ackedSeq }) => ackedSeq === 100 && acked.give(),
  });
  await sendAll(other, numbered("other", 100));
  await contents.reached(100);
  expect(contents.items).toEqual(numbered("other", 100));
  await acked.promise;
  // Nothing of the stopped channels was acked.
  for await (const { positions, lastSeq } of client.listChannels()) {
    if (lastSeq !== 40) continue;
    expect(positions.find(({ agentId }) => agentId === "b")?.ackedSeq).toBe(0);
  }
  expect(failures.items).toHaveLength(3);
  // The handler can by now, and a new session brings everything that was never handled.
  stop();
  client.listenForMessages(({ content }) => contents.add(content));
  await hub.restart();
  await contents.reached(220);
  for (const agentId of stopped) expect(of(agentId, contents.items)).toEqual(numbered(agentId, 40));
  expect(contents.items).toHaveLength(220);
});

test("D3: what a stopped channel left comes to the agent's next client, in order", async () => {
  await serveBacklog(["s"], 40);
  const failures = collect<HandlerFailure>();
  const first = newAgent(hub.url, "b", { onFailed: failures.add });
  first.listenForMessages(({ content }) => {
    if (content === "s 10") throw new Error("cannot");
  });
  await first.connect();
  expect(await failures.reached(1)).toMatchObject([{ seq: 11, stopped: true }]);
  await first.disconnect();
  const contents = collect<string>();
  const second = newAgent(hub.url, "b");
  second.listenForMessages(({ content }) => contents.add(content));
  await second.connect();
  expect(await contents.reached(30)).toEqual(numbered("s", 40).slice(10));
});

test("a failing entry that onFailed acks is skipped on purpose, and its channel goes on", async () => {
  await serveBacklog(["s"], 40);
  const contents = collect<string>();
  const client = newAgent(hub.url, "b", { onFailed: ({ entry }) => entry.ack() });
  client.listenForMessages(({ content }) => {
    if (content === "s 3") throw new Error("cannot");
    contents.add(content);
  });
  await client.connect();
  await contents.reached(39);
  expect(contents.items).toEqual(numbered("s", 40).filter((content) => content !== "s 3"));
});

test("without an onFailed a stopped channel is told as a process warning, without contents", async () => {
  await serveBacklog(["s"], 1);
  const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const warned = new Promise<string>((resolve) => {
    emitted.mockImplementation((warning) => resolve(String(warning)));
  });
  const client = newAgent(hub.url, "b");
  client.listenForMessages(() => {
    throw new TypeError("a secret");
  });
  await client.connect();
  expect(await warned).toMatch(
    /^the handler for channel \S+ threw TypeError at seq 1: the channel stands still$/,
  );
  emitted.mockRestore();
});
