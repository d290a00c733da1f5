import { afterEach, beforeEach, expect, test } from "vitest";
import { ChatMessage, ConnectRequest } from "../../src/protocol/wire.js";
import { startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, activeChat, channelOf, register, say } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("I1: the sender is who the call names; a frame that claims another is refused", async () => {
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const channelId = await activeChat(consumer, provider);
  expect(
    await consumer.refusal({
      $case: "chatMessage",
      value: { channelId, content: "x", senderId: "weather" },
    }),
  ).toBe("SENDER_MISMATCH");
  await consumer.store({
    $case: "chatMessage",
    value: { channelId, content: "x", senderId: "alice" },
  });
  expect((await provider.next("chatMessage")).senderId).toBe("alice");
});

test("I3: a call without an agent id, or with a malformed one, ends at once", async () => {
  const nameless = openAgent(hub.address, "");
  expect(await nameless.ended).toMatchObject({ code: 16 });
  for (const agentId of ["-x", "a b", "x".repeat(129)]) {
    const malformed = openAgent(hub.address, agentId);
    const status = await malformed.ended;
    expect(status).toMatchObject({ code: 3, details: expect.stringContaining("claw-agent-id") });
    expect(status.metadata.get("claw-reason")).toEqual(["INVALID_ID"]);
  }
  await expect(call(hub.address, "", "listChannels", ANY_CHANNEL)).rejects.toMatchObject({
    code: 16,
  });
  const longest = openAgent(hub.address, `a${"._:@/-".repeat(21)}x`);
  expect((await longest.next("sessionStarted")).agentId).toHaveLength(128);
});

test("I3: a claw-receive that is none of the three is refused", async () => {
  const status = await openAgent(hub.address, "alice", "sometimes").ended;
  expect(status).toMatchObject({ code: 3, details: expect.stringContaining("BAD_VALUE") });
});

test("I2: without credentials a hub listens on loopback, unless told in so many words", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  await expect(startHub({ store, listen: "0.0.0.0:0" })).rejects.toThrow(/insecure/);
  await expect(startHub({ store, listen: "nonsense" })).rejects.toThrow(/host:port/);
  const wide = await startHub({ store, listen: "0.0.0.0:0", insecure: true });
  await wide.stop();
  await store.close();
});

test("C7: to a stranger a channel does not exist, in every frame and with the same words", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const stranger = openAgent(hub.address, "mallory", "manual");
  const channelId = await activeChat(consumer, provider);
  await say(consumer, channelId, "secret");

  const messageOf = async (
    id: string,
    kind: "chatMessage" | "chatEnd" | "chatHistory" | "chatAccept" | "chatReject",
  ) => {
    const value = kind === "chatMessage" ? { channelId: id, content: "x" } : { channelId: id };
    const answer = await stranger.ask({ $case: kind, value });
    expect(answer.frame?.$case).toBe("error");
    return JSON.stringify(answer.frame?.value).replaceAll(id, "ID");
  };
  for (const kind of [
    "chatMessage",
    "chatEnd",
    "chatHistory",
    "chatAccept",
    "chatReject",
  ] as const) {
    const theirs = await messageOf(channelId, kind);
    expect(theirs).toContain("CHANNEL_NOT_FOUND");
    expect(theirs).toBe(await messageOf("ch_00000000-0000-4000-8000-000000000000", kind));
  }
  stranger.sendRequest({ requestId: "a", acks: [{ channelId, seq: 1n }] });
  await stranger.settled();
  expect(stranger.responses.at(-2)?.frame?.$case).toBe("error");
  // Knowing the service's id opens nothing.
  const page = await stranger.ask({ $case: "chatHistory", value: { serviceId: "weather-svc" } });
  expect(page.frame?.$case).toBe("error");
  expect(await channelOf(hub.address, "mallory", channelId)).toBeUndefined();
});

test("I5: text that is not UTF-8 is refused with its field, and the session goes on", async () => {
  const agent = openAgent(hub.address, "alice");
  await agent.next("sessionStarted");
  const request = ConnectRequest.encode(
    ConnectRequest.fromPartial({
      requestId: "bad",
      frame: {
        $case: "chatMessage",
        value: ChatMessage.fromPartial({ targetAgent: "weather", content: "ABC" }),
      },
    }),
  ).finish();
  const at = Buffer.from(request).indexOf("ABC");
  request[at] = 0xff;
  agent.sendBytes(request);
  await agent.settled();
  const refusal = agent.responses.find((response) => response.requestId === "bad")?.frame;
  expect(refusal).toMatchObject({
    $case: "error",
    value: { reason: "BAD_TEXT", message: expect.stringContaining("chat_message.content") },
  });
});

test("M5: bytes that are no protobuf end this session, and no other", async () => {
  const other = openAgent(hub.address, "weather", "manual");
  await other.next("sessionStarted");
  const agent = openAgent(hub.address, "alice");
  await agent.next("sessionStarted");
  agent.sendBytes(Buffer.from([0x6a, 0xff, 0xff, 0xff]));
  const status = await agent.ended;
  expect(status).toMatchObject({ code: 13, details: expect.stringContaining("NOT_DECODED") });
  await other.settled();
});
