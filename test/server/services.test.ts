import { afterEach, beforeEach, expect, test } from "vitest";
import { AcceptPolicy, ChannelState, RejectCode } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, ANY_SERVICE, channelOf, register, request, say } from "./chat.js";

const AUTO = AcceptPolicy.ACCEPT_POLICY_AUTO;
let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

function unregister(agentId: string, serviceId: string) {
  return call(hub.address, agentId, "unregisterService", { serviceId });
}
function services(agentId: string, filter: Partial<typeof ANY_SERVICE> = {}) {
  return call(hub.address, agentId, "listServices", { ...ANY_SERVICE, ...filter });
}
function channels(agentId: string, filter: Partial<typeof ANY_CHANNEL> = {}) {
  return call(hub.address, agentId, "listChannels", { ...ANY_CHANNEL, ...filter });
}

test("S1: registering again updates the service and keeps its open channel", async () => {
  const first = await register(hub.address, "weather", "weather-svc");
  const again = await register(hub.address, "weather", "weather-svc", { maxActiveChats: 3 });
  expect(again).toMatchObject({ openChannelId: first.openChannelId, maxActiveChats: 3 });
  expect(again.registeredAt).toEqual(first.registeredAt);
  await expect(register(hub.address, "rain", "weather-svc")).rejects.toMatchObject({
    code: 6,
    details: expect.stringContaining("SERVICE_TAKEN"),
  });
});

test("S2: registrations are durable, whether the provider is online is seen apart", async () => {
  await register(hub.address, "weather", "weather-svc");
  await hub.restart();
  expect((await services("alice")).services).toMatchObject([
    { serviceId: "weather-svc", providerOnline: false, openChannelId: "" },
  ]);
  const provider = openAgent(hub.address, "weather", "auto");
  await provider.next("sessionStarted");
  expect((await services("alice", { onlineOnly: true })).services).toHaveLength(1);
  await provider.cut();
});

test("S2: withdrawing rejects pending requests, keeps active chats and frees the id", async () => {
  const { openChannelId } = await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const alice = openAgent(hub.address, "alice", "manual");
  const bob = openAgent(hub.address, "bob", "manual");
  const active = await request(alice, "weather-svc");
  expect(active.channelId).toBe(openChannelId);
  await provider.store({ $case: "chatAccept", value: { consumerId: "alice" } });
  await request(bob, "weather-svc");

  await unregister("weather", "weather-svc");
  expect((await bob.next("chatReject")).code).toBe(RejectCode.REJECT_CODE_WITHDRAWN);
  expect((await provider.next("chatReject")).code).toBe(RejectCode.REJECT_CODE_WITHDRAWN);
  await say(alice, active.channelId, "still here");
  expect((await provider.next("chatMessage")).content).toBe("still here");
  const open = await channels("weather", { state: ChannelState.CHANNEL_STATE_OPEN });
  expect(open.channels).toEqual([]);

  await register(hub.address, "rain", "weather-svc");
  // The id now means the new provider's channels, and alice has none of those.
  expect(
    await alice.refusal({
      $case: "chatMessage",
      value: { serviceId: "weather-svc", content: "x" },
    }),
  ).toBe("CHAT_NOT_ACCEPTED");
  expect(await alice.refusal({ $case: "chatHistory", value: { serviceId: "weather-svc" } })).toBe(
    "CHANNEL_NOT_FOUND",
  );
});

test("C5 C8: AUTO accepts in the provider's name, and both members are told", async () => {
  await register(hub.address, "weather", "weather-svc", { acceptPolicy: AUTO });
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice", "manual");
  const { channelId } = await request(consumer, "weather-svc");
  expect(await consumer.next("chatAccept")).toMatchObject({ channelId, providerId: "weather" });
  expect(await provider.next("chatAccept")).toMatchObject({ channelId, consumerId: "alice" });
});

test("C5: requests beyond max_active_chats are rejected as BUSY", async () => {
  await register(hub.address, "weather", "weather-svc", { acceptPolicy: AUTO, maxActiveChats: 1 });
  const alice = openAgent(hub.address, "alice", "manual");
  const bob = openAgent(hub.address, "bob", "manual");
  const { channelId } = await request(alice, "weather-svc");
  await alice.next("chatAccept");
  await request(bob, "weather-svc");
  expect((await bob.next("chatReject")).code).toBe(RejectCode.REJECT_CODE_BUSY);
  expect(
    await bob.refusal({ $case: "chatMessage", value: { serviceId: "weather-svc", content: "x" } }),
  ).toBe("BUSY");
  await alice.store({ $case: "chatEnd", value: { channelId } });
  await request(bob, "weather-svc");
  await bob.next("chatAccept");
});

test("A2: a message to an AUTO service asks, is accepted and is stored in one go", async () => {
  await register(hub.address, "weather", "weather-svc", { acceptPolicy: AUTO });
  const provider = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const receipt = await consumer.store({
    $case: "chatMessage",
    value: { serviceId: "weather-svc", content: "hello" },
  });
  expect(receipt.seq).toBe(3n);
  await provider.next("chatRequest");
  await provider.next("chatAccept");
  expect(await provider.next("chatMessage")).toMatchObject({ content: "hello", seq: 3n });
  const second = await consumer.store({
    $case: "chatMessage",
    value: { serviceId: "weather-svc", content: "again" },
  });
  expect(second).toMatchObject({ channelId: receipt.channelId, seq: 4n });
});

test("S1: listings page through all services in order, and filter", async () => {
  for (const name of ["a", "b", "c", "d", "e"]) {
    await register(hub.address, "weather", `svc-${name}`);
  }
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await services("alice", { pageSize: 2, pageToken });
    seen.push(...page.services.map((service) => service.serviceId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(["svc-a", "svc-b", "svc-c", "svc-d", "svc-e"]);
  expect((await services("alice", { query: "SVC-C" })).services).toHaveLength(1);
  expect((await services("alice", { providerId: "nobody" })).services).toEqual([]);
});

test("C7: channels list newest first, page by page, and only the caller's own", async () => {
  await register(hub.address, "weather", "weather-svc");
  const alice = openAgent(hub.address, "alice");
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    ids.unshift((await request(alice, "weather-svc")).channelId);
  }
  const first = await channels("alice", { pageSize: 3 });
  const second = await channels("alice", { pageSize: 3, pageToken: first.nextPageToken });
  expect([...first.channels, ...second.channels].map((channel) => channel.channelId)).toEqual(ids);
  expect(second.nextPageToken).toBe("");
  expect((await channels("mallory")).channels).toEqual([]);
  const open = await channels("weather", { state: ChannelState.CHANNEL_STATE_OPEN });
  expect(open.channels).toMatchObject([{ consumerId: "", lastSeq: 0n }]);
  expect(await channelOf(hub.address, "mallory", ids[0] ?? "")).toBeUndefined();
});
