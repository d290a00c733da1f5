import { administer } from "../../src/store/sqlite/administer.js";
import { makeKey, type TestKey } from "../auth/credentials.js";
import { register } from "../server/chat.js";
import type { TestHub } from "../support/hub.js";
import { openAgent } from "../support/raw-agent.js";
import type { Caller, ChatState } from "./matrix.js";

/** Keys of every kind, each for any number of agents. */
export interface Keys {
  consumer: TestKey;
  provider: TestKey;
  stranger: TestKey;
  admin: TestKey;
  expired: TestKey;
  revoked: TestKey;
}

/** Gives a running hub a key for each kind of caller. */
export async function giveKeys(hub: TestHub): Promise<Keys> {
  const keys = {
    consumer: makeKey("consumer-*"),
    provider: makeKey("provider-*"),
    stranger: makeKey("stranger-*"),
    admin: makeKey("admin-*", { role: "admin" }),
    expired: makeKey("consumer-*", { expiresAtMs: 2 }),
    revoked: makeKey("consumer-*", { revokedAtMs: 2 }),
  };
  await administer({ path: hub.dbPath, mode: "write" }, (rows) => {
    for (const { record } of Object.values(keys)) rows.putKey(record);
  });
  return keys;
}

/** Names of agents of every kind. */
type Names = Record<"consumer" | "provider" | "stranger" | "admin", string>;

/** Agents, a service and a chat between two of them. */
export interface Scene {
  hub: TestHub;
  names: Names;
  /** Of the service, for the consumer only; made up where the chat is missing. */
  serviceId: string;
  channelId: string;
}

/** Who calls: its name, and what it shows for it. */
export interface Actor {
  agentId: string;
  apiKey: string | undefined;
}

let scenes = 0;

/** Sets the stage: new agents, and a chat in the state. */
export async function setScene(hub: TestHub, keys: Keys, state: ChatState): Promise<Scene> {
  scenes += 1;
  const names = {
    consumer: `consumer-${scenes}`,
    provider: `provider-${scenes}`,
    stranger: `stranger-${scenes}`,
    admin: `admin-${scenes}`,
  };
  const consumer = openAgent(hub.address, names.consumer, "none", keys.consumer.text);
  const provider = openAgent(hub.address, names.provider, "none", keys.provider.text);
  const serviceId = `service-${scenes}`;
  let channelId = `ch_missing-${scenes}`;
  if (state !== "missing") {
    const allowedConsumers = [names.consumer];
    const key = keys.provider.text;
    await register(hub.address, names.provider, serviceId, { allowedConsumers }, key);
    const asked = await consumer.store({ $case: "chatRequest", value: { serviceId } });
    channelId = asked.channelId;
  }
  if (state === "active" || state === "ended") {
    await provider.store({ $case: "chatAccept", value: { channelId } });
  }
  if (state === "rejected") await provider.store({ $case: "chatReject", value: { channelId } });
  if (state === "ended") await consumer.store({ $case: "chatEnd", value: { channelId } });
  await Promise.all([consumer.settled(), provider.settled()]);
  await Promise.all([consumer.cut(), provider.cut()]);
  return { hub, names, serviceId, channelId };
}

/** One of those who may try something there. */
export function actorOf(caller: Caller, { names }: Scene, keys: Keys): Actor {
  const asConsumer = (apiKey: string | undefined): Actor => ({ agentId: names.consumer, apiKey });
  switch (caller) {
    case "no credentials":
      return asConsumer(undefined);
    case "malformed key":
      return asConsumer(keys.consumer.text.slice(0, -1));
    case "wrong secret":
      return asConsumer(keys.consumer.text.slice(0, -8).padEnd(keys.consumer.text.length, "0"));
    case "expired key":
      return asConsumer(keys.expired.text);
    case "revoked key":
      return asConsumer(keys.revoked.text);
    case "another agent's name":
      return asConsumer(keys.stranger.text);
    default:
      return { agentId: names[caller], apiKey: keys[caller].text };
  }
}
