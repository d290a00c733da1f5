import type { Receipt, Service } from "../../src/protocol/wire.js";
import { call, type RawAgent } from "../support/raw-agent.js";

type ServiceFields = {
  acceptPolicy?: number;
  maxActiveChats?: number;
  allowedConsumers?: string[];
};

/** Registers a service in an agent's name; returns it as the hub has it. */
export async function register(
  address: string,
  agentId: string,
  serviceId: string,
  fields: ServiceFields = {},
  apiKey?: string,
) {
  const request = { service: { ...EMPTY_SERVICE, serviceId, ...fields } };
  const { service } = await call(address, agentId, "registerService", request, apiKey);
  if (service === undefined) throw new Error("the hub returned no service");
  return service;
}

export const EMPTY_SERVICE: Service = {
  serviceId: "",
  providerId: "",
  description: "",
  tags: [],
  metadata: new Map<string, string>(),
  acceptPolicy: 0,
  openChannelId: "",
  providerOnline: false,
  registeredAt: undefined,
  maxActiveChats: 0,
  allowedConsumers: [],
};

/** A filter that lets everything through, for listings. */
export const ANY_CHANNEL = {
  state: 0,
  serviceId: "",
  peerId: "",
  pageSize: 0,
  pageToken: "",
  memberId: "",
};
export const ANY_SERVICE = {
  query: "",
  tags: [],
  providerId: "",
  onlineOnly: false,
  pageSize: 0,
  pageToken: "",
};

/** Asks for a chat about a service. */
export function request(consumer: RawAgent, serviceId: string): Promise<Receipt> {
  return consumer.store({ $case: "chatRequest", value: { serviceId } });
}

/** Asks for a direct chat and has it accepted; returns the channel. */
export async function activeChat(consumer: RawAgent, provider: RawAgent): Promise<string> {
  const { channelId } = await consumer.store({
    $case: "chatRequest",
    value: { providerId: provider.agentId },
  });
  await provider.store({ $case: "chatAccept", value: { channelId } });
  return channelId;
}

/** Says something in a channel. */
export function say(
  agent: RawAgent,
  channelId: string,
  content: string,
  messageId = "",
): Promise<Receipt> {
  return agent.store({ $case: "chatMessage", value: { channelId, content, messageId } });
}

/** The caller's view of a channel. */
export async function channelOf(address: string, agentId: string, channelId: string) {
  const { channels } = await call(address, agentId, "listChannels", ANY_CHANNEL);
  return channels.find((channel) => channel.channelId === channelId);
}
