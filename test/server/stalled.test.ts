import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { runTool, SKIP_GRPCURL } from "../support/tools.js";
import { ANY_CHANNEL, activeChat, channelOf, say } from "./chat.js";

/*
 * What holds while a session is on its way out and its client does not read: the stretch
 * between "sent away" and "gone", which otherwise is too short to be looked at.
 */

const LARGE = "x".repeat(500_000);
/** Far more than the connection, the client and the outbox hold together. */
const COUNT = 32;
let hub: TestHub;
let stalled: RawAgent;
let consumer: RawAgent;
let channelId: string;

/** A receiving session with more on its way than its client has taken. */
async function stall(receive: "manual" | "auto"): Promise<void> {
  stalled = openAgent(hub.address, "weather", receive);
  consumer = openAgent(hub.address, "alice", "manual");
  channelId = await activeChat(consumer, stalled);
  stalled.pause();
  for (let count = 0; count < COUNT; count += 1) await say(consumer, channelId, LARGE);
}

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("I4: what a superseded session sends while it is on its way out is not stored", async () => {
  await stall("manual");
  const newer = openAgent(hub.address, "weather", "manual");
  await newer.settled();
  stalled.sendRequest({ frame: { $case: "chatMessage", value: { channelId, content: "late" } } });
  stalled.sendRequest({ acks: [{ channelId, seq: 4n }] });
  stalled.resume();
  expect((await stalled.ended).code).toBe(10);
  await newer.settled();
  const channel = await channelOf(hub.address, "weather", channelId);
  expect(channel?.lastSeq).toBe(BigInt(COUNT + 2));
  expect(channel?.positions[0]?.ackedSeq).toBe(0n);
});

test("I4: a superseded auto session moves no position by what its client takes afterwards", async () => {
  await stall("auto");
  const newer = openAgent(hub.address, "weather", "manual");
  for (let count = 0; count < 2; count += 1) await newer.settled();
  const before = await channelOf(hub.address, "weather", channelId);
  stalled.resume();
  await stalled.ended;
  for (let count = 0; count < 2; count += 1) await newer.settled();
  const after = await channelOf(hub.address, "weather", channelId);
  expect(after?.positions[0]?.ackedSeq).toBe(before?.positions[0]?.ackedSeq);
  expect(after?.positions[0]?.ackedSeq).toBeLessThan(BigInt(COUNT + 2));
});

test("L1: a session that half-closed is sent what was on its way, and nothing further", async () => {
  await stall("manual");
  stalled.sendRequest({ frame: { $case: "chatMessage", value: { channelId, content: "bye" } } });
  stalled.halfClose();
  expect((await consumer.next("chatMessage")).content).toBe("bye");
  await say(consumer, channelId, "too late");
  stalled.resume();
  expect((await stalled.ended).code).toBe(0);
  const contents = stalled.responses.map(({ frame }) =>
    frame?.$case === "chatMessage" ? frame.value.content : "",
  );
  expect(contents).toContain(LARGE);
  expect(contents).not.toContain("too late");
  // It was in the log of things not read from it yet, and that is where they stay.
  expect(contents.filter((content) => content === LARGE).length).toBeLessThan(COUNT);
});

test("D4: requests are not read while their answers do not get away", async () => {
  await stall("manual");
  for (let count = 0; count < 10; count += 1) {
    stalled.sendRequest({ frame: { $case: "chatHistory", value: { channelId } } });
  }
  stalled.sendRequest({ frame: { $case: "chatMessage", value: { channelId, content: "read" } } });
  for (let count = 0; count < 20; count += 1) await consumer.settled();
  expect(consumer.responses.some((one) => one.frame?.$case === "chatMessage")).toBe(false);
  stalled.resume();
  expect((await consumer.next("chatMessage")).content).toBe("read");
});

test("L2: while it waits for the last answers to be taken, a stopping hub takes nothing new", async () => {
  await stall("auto");
  const idle = openAgent(hub.address, "idle", "manual");
  await idle.next("sessionStarted");
  const halted = hub.halt();
  await idle.next("goAway");
  expect(await openAgent(hub.address, "late").ended).toMatchObject({
    code: 14,
    details: expect.stringContaining("SHUTTING_DOWN"),
  });
  await expect(call(hub.address, "late", "listChannels", ANY_CHANNEL)).rejects.toMatchObject({
    code: 14,
    details: expect.stringContaining("SHUTTING_DOWN"),
  });
  if (!SKIP_GRPCURL) {
    const health = await runTool("grpcurl", [
      ...["-plaintext", hub.address, "grpc.health.v1.Health/Check"],
    ]);
    expect(health.stdout).toContain("NOT_SERVING");
  }
  stalled.resume();
  expect((await stalled.ended).code).toBe(14);
  await halted;
});
