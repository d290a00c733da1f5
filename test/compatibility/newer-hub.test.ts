import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { ChatClient } from "../../src/client/chat-client.js";
import { doctoredContract } from "./doctored-contract.js";
import { type NewerHub, startNewerHub } from "./newer-hub.js";

/** Of a version to come: the hubs of these tests have it, our client does not. */
const later = doctoredContract();
const own = { wish: "w", seal: { by: "hub", numbers: ["1"] } };

const open: { client: ChatClient; hub: NewerHub }[] = [];
afterEach(async () => {
  for (const { client, hub } of open.splice(0)) {
    await client.disconnect();
    hub.stop();
  }
});

async function talkTo(script: Parameters<typeof startNewerHub>[1]) {
  const hub = await startNewerHub(later, script);
  const client = new ChatClient({ hubUrl: hub.url, agentId: "alice", timeoutMs: 10_000 });
  open.push({ client, hub });
  return { hub, client };
}

/** What the hub answers a frame with: a receipt. */
const receiptOf = ({ requestId = "" }: JsonObject): JsonObject => ({
  receipts: [{ ...own, requestId, channelId: "c", seq: "1" }],
  hubClock: "7",
});

test("D3: frames and fields of a newer hub are left aside; what comes behind them is handled", async () => {
  const acks: unknown[] = [];
  const acked = Promise.withResolvers<void>();
  const { client } = await talkTo({
    greeting: { ...own, receiveMode: "RECEIVE_MODE_BATCHED", limits: { ...own, maxUnacked: 9 } },
    greeted(session) {
      session.send({ hubNews: { text: "new" }, seal: own.seal, hubClock: "1" });
      session.send({ chatTyping: { channelId: "c", seq: "2" } });
      session.send({ chatMessage: { ...own, channelId: "c", seq: "3", content: "known" } });
    },
    requested(_session, request) {
      if (request.acks === undefined) return;
      acks.push(request.acks);
      acked.resolve();
    },
  });
  const messages = client.messages();
  await client.connect();
  const { value } = await messages.next();
  expect(value).toMatchObject({ content: "known", seq: 3 });
  expect(value).not.toHaveProperty("wish");
  value?.ack();
  await acked.promise;
  expect(acks).toEqual([[{ channelId: "c", seq: "3" }]]);
});

test("M5: receipts and refusals of a newer hub answer their requests", async () => {
  const { client } = await talkTo({
    requested(session, request) {
      const { content } = (request.chatMessage ?? {}) as { content?: string };
      if (content === "good") session.send(receiptOf(request));
      if (content !== "bad") return;
      const { requestId = "" } = request;
      const error = { ...own, code: 9, reason: "MOON_IS_FULL", message: "not tonight" };
      session.send({ requestId, error });
    },
  });
  await client.connect();
  const sent = await client.sendMessage({ targetAgent: "bob", content: "good" });
  expect(sent).toMatchObject({ channelId: "c", seq: 1 });
  await expect(client.sendMessage({ targetAgent: "bob", content: "bad" })).rejects.toMatchObject({
    reason: "MOON_IS_FULL",
    code: 9,
    retryable: false,
  });
});

test("M5: whether to try again is what a refusal of a newer hub says, whatever its reason", async () => {
  const tries = new Map<unknown, number>();
  const { client } = await talkTo({
    requested(session, request) {
      const { content = "" } = (request.chatMessage ?? {}) as { content?: string };
      if (content === "") return;
      tries.set(content, (tries.get(content) ?? 0) + 1);
      const { requestId = "" } = request;
      const error = { code: Number(content), reason: "MOON_IS_FULL", retryable: true };
      const again = tries.get(content) === 1;
      session.send(
        again ? { requestId, error: { ...error, retryAfter: "0.01s" } } : receiptOf(request),
      );
    },
  });
  await client.connect();
  // What the hub cannot do now (UNAVAILABLE) is sent again; of anything else the caller is told.
  expect(await client.sendMessage({ targetAgent: "bob", content: "14" })).toMatchObject({ seq: 1 });
  await expect(client.sendMessage({ targetAgent: "bob", content: "8" })).rejects.toMatchObject({
    reason: "MOON_IS_FULL",
    retryable: true,
    retryAfterMs: 10,
  });
  expect([...tries]).toEqual([
    ["14", 2],
    ["8", 1],
  ]);
});

test("I5: codes and states of a newer hub have no name, and hold nothing up", async () => {
  const channel = {
    ...own,
    channelId: "c",
    state: "CHANNEL_STATE_PAUSED",
    endCode: "END_CODE_SEIZED",
  };
  const service = { ...own, serviceId: "svc", acceptPolicy: "ACCEPT_POLICY_AUCTION" };
  const { client } = await talkTo({
    calls: { ListChannels: { channels: [channel] }, ListServices: { services: [service] } },
    requested(session, request) {
      if (request.chatRequest === undefined) return;
      session.send(receiptOf(request));
      const code = "REJECT_CODE_QUARANTINED";
      session.send({ chatReject: { ...own, channelId: "c", seq: "2", code, reason: "ill" } });
    },
  });
  await client.connect();
  const answer = await client.requestChat({ serviceId: "svc" });
  expect(answer).toEqual({ status: "rejected", channelId: "c", reason: "ill" });
  for await (const one of client.listChannels()) {
    expect(one).toMatchObject({ channelId: "c", state: "unknown", endCode: undefined });
  }
  for await (const one of client.listServices()) {
    expect(one).toMatchObject({ serviceId: "svc", acceptPolicy: "manual" });
  }
});

test.each([
  [true, ["connecting", "connected", "disconnected", "connected"]],
  [false, ["connecting", "connected", "closed"]],
])(
  "L2: go_away of a newer hub, with a reason that is new and reconnect: %s",
  async (reconnect, states) => {
    const { hub, client } = await talkTo({
      greeted(session, count) {
        if (count > 1) return;
        const goAway = { ...own, reason: "MOVING_HOUSE", message: "boxes", reconnect };
        session.send({ goAway: { ...goAway, reconnectAfter: "0.01s" } });
        session.end();
      },
    });
    const events = client.connection();
    await client.connect();
    const seen: string[] = [];
    for await (const event of events) {
      seen.push(event.state);
      if (event.state === "disconnected") expect(event.reason).toBe("MOVING_HOUSE");
      if (event.state === "closed") expect(event.error).toMatchObject({ reason: "MOVING_HOUSE" });
      if (seen.length === states.length) break;
    }
    expect(seen).toEqual(states);
    expect(hub.sessions()).toBe(reconnect ? 2 : 1);
  },
);
