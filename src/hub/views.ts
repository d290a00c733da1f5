import { timestampOf } from "../protocol/time.js";
import type { Channel as ChannelMessage, Service } from "../protocol/wire.js";
import { type Channel, roleOf } from "./channel.js";
import type { Caller } from "./credentials.js";
import type { ServiceRecord } from "./store.js";

/** A channel as its members and admins see it on the wire; the provider comes first in positions. */
export function channelView(
  channel: Channel,
  { agentId, role }: Caller,
  isOnline: (agentId: string) => boolean,
): ChannelMessage {
  if (roleOf(channel, agentId) === undefined && role !== "admin")
    throw new Error("a channel shown to a stranger");
  const { providerId, consumerId } = channel;
  const positions = [
    {
      agentId: providerId,
      ackedSeq: BigInt(channel.provider.position),
      online: isOnline(providerId),
    },
  ];
  if (consumerId !== "") {
    positions.push({
      agentId: consumerId,
      ackedSeq: BigInt(channel.consumer.position),
      online: isOnline(consumerId),
    });
  }
  return {
    channelId: channel.channelId,
    serviceId: channel.serviceId,
    providerId,
    consumerId,
    createdAt: timestampOf(channel.createdAtMs),
    state: channel.state,
    lastSeq: BigInt(channel.lastSeq),
    positions,
    reason: channel.reason,
    rejectCode: channel.rejectCode,
    endCode: channel.endCode,
    endedAt: channel.closedAtMs === 0 ? undefined : timestampOf(channel.closedAtMs),
  };
}

/** A service as an agent sees it on the wire: its open channel is shown to its provider only. */
export function serviceView(
  service: ServiceRecord,
  agentId: string,
  isOnline: (agentId: string) => boolean,
): Service {
  return {
    serviceId: service.serviceId,
    providerId: service.providerId,
    description: service.description,
    tags: service.tags,
    metadata: service.metadata,
    acceptPolicy: service.acceptPolicy,
    openChannelId: service.providerId === agentId ? service.openChannelId : "",
    providerOnline: isOnline(service.providerId),
    registeredAt: timestampOf(service.registeredAtMs),
    maxActiveChats: service.maxActiveChats,
    allowedConsumers: service.providerId === agentId ? service.allowedConsumers : [],
  };
}
