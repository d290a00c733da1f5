import { type Refusal, refuse } from "../protocol/refusals.js";
import type { SentMessage } from "../protocol/sent-message.js";
import { AcceptPolicy, ChannelState } from "../protocol/wire.js";
import { type Channel, newChannel, peerOf, roleOf } from "./channel.js";
import { agentNotFound, directChatsDisabled, tooManyChannels } from "./common-refusals.js";
import type { Context } from "./context.js";
import { denyChannel, denyService } from "./deny.js";
import { hasRoomForChat } from "./room-for-chats.js";
import type { ServiceRecord } from "./store.js";
import { visible } from "./visible-service.js";

/** Where a message goes: into a channel, or first a chat of an AUTO service has to be asked for. */
export type Destination = { channel: Channel } | { askFirst: ServiceRecord } | { refusal: Refusal };

/** Finds the channel a message is meant for that does not name it (A1 to A3). */
export async function findDestination(
  context: Context,
  agentId: string,
  message: SentMessage,
): Promise<Destination> {
  if (message.targetAgent === agentId) {
    return { refusal: refuse("SELF_CHAT", "chat_message.target_agent is yourself") };
  }
  if (message.serviceId !== "") return byService(context, agentId, message);
  return byAgent(context, agentId, message.targetAgent);
}

/**
 * Whether a message may go to the channel that it names (A1).
 * @param channel the one of that name
 */
export function checkDestination(
  context: Context,
  agentId: string,
  { channelId, serviceId, targetAgent }: SentMessage,
  channel: Channel | undefined,
): Destination {
  if (channel === undefined || roleOf(channel, agentId) === undefined) {
    return { refusal: denyChannel(context, agentId, channelId, channel) };
  }
  const agrees =
    (targetAgent === "" || targetAgent === peerOf(channel, agentId)) &&
    (serviceId === "" || serviceId === channel.serviceId);
  if (agrees) return { channel };
  return {
    refusal: refuse(
      "ADDRESS_CONFLICT",
      "chat_message.channel_id is about another service or with another agent; leave those out",
    ),
  };
}

async function byService(
  context: Context,
  agentId: string,
  { serviceId, targetAgent }: SentMessage,
): Promise<Destination> {
  const { tx } = context;
  const registered = await tx.service(serviceId);
  const service = visible(registered, agentId);
  const channel = await tx.newestChannel({
    agentId,
    serviceId,
    // After another provider took the id over, it means that one's channels (S2).
    providerId: service?.providerId,
    peerId: targetAgent === "" ? undefined : targetAgent,
    state: ChannelState.CHANNEL_STATE_ACTIVE,
  });
  if (channel !== undefined) return { channel };
  if (service === undefined) {
    return { refusal: denyService(context, agentId, serviceId, registered) };
  }
  const mayAsk =
    service.acceptPolicy === AcceptPolicy.ACCEPT_POLICY_AUTO &&
    service.providerId !== agentId &&
    (targetAgent === "" || targetAgent === service.providerId);
  if (mayAsk) return { askFirst: service };
  return {
    refusal: refuse(
      "CHAT_NOT_ACCEPTED",
      "you have no active chat about this service; send chat_request and wait for chat_accept",
    ),
  };
}

async function byAgent(
  context: Context,
  agentId: string,
  targetAgent: string,
): Promise<Destination> {
  const { tx, env } = context;
  const channel = await tx.mostRecentlyUsed(agentId, targetAgent);
  if (channel !== undefined) return { channel };
  if (!env.directChats) return { refusal: directChatsDisabled() };
  if (env.agentsMustBeKnown && !(await tx.knowsAgent(targetAgent))) {
    return { refusal: agentNotFound(targetAgent) };
  }
  if (!(await hasRoomForChat(context, agentId))) {
    return { refusal: tooManyChannels(env.maxChannels) };
  }
  return {
    channel: {
      ...newChannel({
        channelId: env.newId("ch"),
        serviceId: "",
        providerId: targetAgent,
        consumerId: agentId,
        createdAtMs: env.nowMs(),
      }),
      state: ChannelState.CHANNEL_STATE_ACTIVE,
    },
  };
}
