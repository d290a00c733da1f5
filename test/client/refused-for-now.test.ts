import { status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import type { ConnectRequest } from "../../src/protocol/wire.js";
import { collect, connectAgent, disconnectAgents } from "./agents.js";
import { type ScriptedHub, type ScriptedSession, startScriptedHub } from "./scripted-hub.js";

let hub: ScriptedHub;
afterEach(async () => {
  await disconnectAgents();
  hub.stop();
});

const FULL = {
  code: status.RESOURCE_EXHAUSTED,
  reason: "STORAGE_FULL",
  message: "the disk is full",
  retryable: true,
  retryAfter: { seconds: 0n, nanos: 10_000_000 },
};
const UNAVAILABLE = { ...FULL, code: status.UNAVAILABLE, reason: "STORAGE_UNAVAILABLE" };

interface Said {
  content: string;
  channelId: string;
  refuse(error?: typeof FULL): void;
  store(channelId?: string): void;
}

/** A hub whose test answers each message by hand. */
async function startHub() {
  const said = collect<Said>();
  hub = await startScriptedHub({
    requested(session: ScriptedSession, { requestId, frame }: ConnectRequest) {
      if (frame?.$case !== "chatMessage") return;
      const { content, channelId } = frame.value;
      said.add({
        content,
        channelId,
        refuse: (error = UNAVAILABLE) =>
          session.send({ requestId, frame: { $case: "error", value: error } }),
        store: (named = channelId) =>
          session.send({ receipts: [{ requestId, channelId: named, seq: 1n }] }),
      });
    },
  });
  return { said, client: await connectAgent(hub.url, "a", { receive: "none" }) };
}

function contentsOf(said: { items: Said[] }): string[] {
  return said.items.map(({ content }) => content);
}

test("M4: one refused for a full disk is sent again, and later ones wait for it", async () => {
  const { said, client } = await startHub();
  const first = client.sendMessage({ channelId: "x", content: "1" });
  const pipelined = client.sendMessage({ channelId: "x", content: "2" });
  const [one, two] = await said.reached(2);
  one?.refuse(FULL);
  two?.refuse(FULL);
  await said.reached(3);
  // Only the first goes out until it is stored.
  expect(contentsOf(said)).toEqual(["1", "2", "1"]);
  const later = client.sendMessage({ channelId: "x", content: "3" });
  said.items[2]?.refuse(FULL);
  await said.reached(4);
  said.items[3]?.store();
  await said.reached(6);
  said.items[4]?.store();
  said.items[5]?.store();
  await Promise.all([first, pipelined, later]);
  expect(contentsOf(said)).toEqual(["1", "2", "1", "1", "2", "3"]);
});

test("M4: one that a pipelined one has overtaken is not sent again, and its caller is told", async () => {
  const { said, client } = await startHub();
  const sent = ["1", "2"].map((content) => client.sendMessage({ channelId: "x", content }));
  const elsewhere = client.sendMessage({ channelId: "y", content: "3" });
  const [one, two, three] = await said.reached(3);
  one?.refuse();
  two?.store();
  three?.refuse();
  await expect(sent[0]).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    reason: "STORAGE_UNAVAILABLE",
    retryable: true,
    message: expect.stringContaining("not sent again"),
  });
  await sent[1];
  // Of another channel: nothing has overtaken it.
  await said.reached(4);
  said.items[3]?.store();
  await elsewhere;
  expect(contentsOf(said)).toEqual(["1", "2", "3", "3"]);
});

test("M4: one given up on its way holds a refused one back until the hub has answered it", async () => {
  const { said, client } = await startHub();
  const aborting = new AbortController();
  const first = client.sendMessage({ channelId: "x", content: "1" });
  const { signal } = aborting;
  const givenUp = client.sendMessage({ channelId: "x", content: "2" }, { signal });
  const later = client.sendMessage({ channelId: "x", content: "3" });
  const [one, two, three] = await said.reached(3);
  aborting.abort();
  await expect(givenUp).rejects.toMatchObject({ reason: "ABORTED_BY_CALLER" });
  one?.refuse();
  three?.refuse();
  two?.store();
  await expect(first).rejects.toMatchObject({ reason: "STORAGE_UNAVAILABLE" });
  await said.reached(4);
  said.items[3]?.store();
  await later;
  expect(contentsOf(said)).toEqual(["1", "2", "3", "3"]);
});

test("M4: by the agent it is for, a message may be of the channel that another one names", async () => {
  const { said, client } = await startHub();
  const toAgent = client.sendMessage({ targetAgent: "b", content: "1" });
  const toOther = client.sendMessage({ targetAgent: "c", content: "2" });
  const toChannel = client.sendMessage({ channelId: "x", content: "3" });
  const [one, two, three] = await said.reached(3);
  one?.refuse();
  two?.store("y");
  three?.store("x");
  await expect(toAgent).rejects.toMatchObject({ reason: "STORAGE_UNAVAILABLE" });
  await Promise.all([toOther, toChannel]);
});

test("M4: a message to another agent overtakes nothing", async () => {
  const { said, client } = await startHub();
  const first = client.sendMessage({ targetAgent: "b", content: "1" });
  const other = client.sendMessage({ targetAgent: "c", content: "2" });
  const [one, two] = await said.reached(2);
  one?.refuse();
  two?.store("y");
  await other;
  await said.reached(3);
  said.items[2]?.store("x");
  expect(await first).toMatchObject({ channelId: "x" });
});

test("a call that is refused until its time is over says what stood in the way", async () => {
  const { said, client } = await startHub();
  const sent = client.sendMessage({ channelId: "x", content: "1" }, { timeoutMs: 200 });
  (await said.reached(1))[0]?.refuse({ ...FULL, retryAfter: { seconds: 60n, nanos: 0 } });
  await expect(sent).rejects.toMatchObject({
    reason: "TIMEOUT",
    message: "sendMessage had no answer within 200 ms (STORAGE_FULL: the disk is full)",
  });
});
