import { afterEach, expect, test } from "vitest";
import {
  ConnectResponse,
  ListChannelsResponse,
  ListServicesResponse,
} from "../../src/protocol/wire.js";
import { administer } from "../../src/store/sqlite/administer.js";
import { makeKey } from "../auth/credentials.js";
import { ANY_CHANNEL, ANY_SERVICE, activeChat, register, say } from "../server/chat.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";

afterEach(closeAgents);

const NAMES = ["eve", "friend", "alice", "bob"] as const;

/** A hub in which four agents have keys. */
async function startHubOfFour(): Promise<{ hub: TestHub; keyOf: Record<string, string> }> {
  const hub = await startTestHub({ auth: "required" });
  const keys = NAMES.map((name) => makeKey(name));
  await administer({ path: hub.dbPath, mode: "write" }, (rows) => {
    for (const { record } of keys) {
      rows.putKey(record);
      rows.nameAgent(record.pattern);
    }
  });
  const keyOf = Object.fromEntries(keys.map(({ record, text }) => [record.pattern, text]));
  return { hub, keyOf };
}

/** All that happens between alice and bob, before and while eve looks. */
interface Secret {
  serviceId: string;
  channelId: string;
  goOn(): Promise<void>;
}

async function noSecret(): Promise<Secret> {
  return {
    serviceId: "secret-service",
    channelId: "ch_00000000-0000-4000-8000-000000000000",
    goOn: async () => {},
  };
}

async function secretTalk(hub: TestHub, keyOf: Record<string, string>): Promise<Secret> {
  const alice = openAgent(hub.address, "alice", "manual", keyOf.alice);
  const bob = openAgent(hub.address, "bob", "manual", keyOf.bob);
  const serviceId = "secret-service";
  const allowedConsumers = ["bob"];
  await register(hub.address, "alice", serviceId, { allowedConsumers }, keyOf.alice);
  const { channelId } = await bob.store({ $case: "chatRequest", value: { serviceId } });
  await alice.store({ $case: "chatAccept", value: { channelId } });
  await say(bob, channelId, "before");
  const direct = await activeChat(bob, alice);
  return {
    serviceId,
    channelId,
    async goOn() {
      await say(alice, channelId, "meanwhile");
      bob.ack(channelId, 4n);
      await say(bob, direct, "x".repeat(100_000));
      await bob.store({ $case: "chatRequest", value: { serviceId } });
      await bob.store({ $case: "chatEnd", value: { channelId: direct } });
    },
  };
}

/** Whatever eve hears, as bytes, with what differs in every run made the same. */
async function whatEveHears(
  hub: TestHub,
  keyOf: Record<string, string>,
  secret: Secret,
): Promise<string[]> {
  const made = new Map([[secret.channelId, "the secret channel"]]);
  const heard: string[] = [];
  const note = (bytes: Uint8Array) => heard.push(Buffer.from(bytes).toString("base64"));
  const eve = openAgent(hub.address, "eve", "manual", keyOf.eve);
  const friend = openAgent(hub.address, "friend", "manual", keyOf.friend);
  await eve.next("sessionStarted");

  const { channelId: own } = await eve.store({
    $case: "chatMessage",
    value: { targetAgent: "friend", content: "hello", messageId: "m1" },
  });
  made.set(own, "eve's channel");
  const { serviceId, channelId } = secret;
  await say(friend, own, "hello yourself", "m2");
  await eve.ask({ $case: "chatHistory", value: { channelId } });
  await eve.ask({ $case: "chatHistory", value: { serviceId } });
  await secret.goOn();
  for (const value of [{ channelId }, { serviceId }]) {
    await eve.ask({ $case: "chatMessage", value: { ...value, content: "hello" } });
  }
  await eve.ask({ $case: "chatAccept", value: { channelId } });
  await eve.ask({ $case: "chatReject", value: { consumerId: "bob", serviceId } });
  await eve.ask({ $case: "chatEnd", value: { channelId } });
  await eve.ask({ $case: "chatRequest", value: { serviceId } });
  await eve.ask({ $case: "chatRequest", value: { serviceId, providerId: "alice" } });
  await eve.ask({ $case: "chatHistory", value: { channelId: own } }, [{ channelId, seq: 1n }]);
  await say(friend, own, "and again", "m3");
  await eve.settled();

  const address = hub.address;
  const services = await call(address, "eve", "listServices", ANY_SERVICE, keyOf.eve);
  const channels = await call(address, "eve", "listChannels", ANY_CHANNEL, keyOf.eve);
  const withdrawn = await call(address, "eve", "unregisterService", { serviceId }, keyOf.eve).catch(
    (error: { details: string }) => error.details,
  );
  for (const response of eve.responses)
    note(ConnectResponse.encode(evened(response, made)).finish());
  note(ListServicesResponse.encode(evened(services, made)).finish());
  note(ListChannelsResponse.encode(evened(channels, made)).finish());
  heard.push(String(withdrawn));
  return heard;
}

/** Names and times that are new in every run, replaced by words. */
function evened<T>(value: T, made: Map<string, string>): T {
  if (typeof value === "string") {
    let text: string = value;
    for (const [name, word] of made) text = text.replaceAll(name, word);
    return text as T;
  }
  if (Array.isArray(value)) return value.map((one) => evened(one, made)) as T;
  if (value instanceof Uint8Array || value instanceof Map) return value;
  if (typeof value !== "object" || value === null) return value;
  if ("nanos" in value) return { ...value, seconds: 0n, nanos: 0 };
  const fields = Object.entries(value).map(([name, field]) => [
    name,
    name === "sessionId" || name === "storeEpoch" ? name : evened(field, made),
  ]);
  return Object.fromEntries(fields) as T;
}

test("C7: an outsider hears the same bytes, whether or not others talk in secret", async () => {
  const heard: string[][] = [];
  for (const begin of [noSecret, secretTalk]) {
    const { hub, keyOf } = await startHubOfFour();
    heard.push(await whatEveHears(hub, keyOf, await begin(hub, keyOf)));
    await closeAgents();
    await hub.stop();
  }
  expect(heard[0]?.length).toBeGreaterThan(15);
  expect(heard[1]).toEqual(heard[0]);
});
