import { type Refusal, refuse } from "../protocol/refusals.js";
import { AcceptPolicy, ChatReject, RejectCode, type Service } from "../protocol/wire.js";
import { type Channel, newChannel } from "./channel.js";
import { tooManyChannels } from "./common-refusals.js";
import type { Context } from "./context.js";
import { denyService } from "./deny.js";
import { HUB_AUTHOR } from "./entry.js";
import { hasRoomForChat } from "./room-for-chats.js";
import type { ServiceRecord } from "./store.js";
import { isVisible } from "./visible-service.js";
import { write } from "./write.js";

/** Registers or updates a service (S1). */
export async function registerService(
  context: Context,
  agentId: string,
  service: Service,
): Promise<{ service: ServiceRecord } | { refusal: Refusal }> {
  const { tx, env } = context;
  const before = await tx.service(service.serviceId);
  if (before !== undefined && before.providerId !== agentId) {
    return {
      refusal: refuse("SERVICE_TAKEN", "another agent offers this service; use another service_id"),
    };
  }
  if (before === undefined && !(await hasRoomForChat(context, agentId))) {
    return { refusal: tooManyChannels(env.maxChannels) };
  }
  const record: ServiceRecord = {
    serviceId: service.serviceId,
    providerId: agentId,
    description: service.description,
    tags: service.tags,
    metadata: service.metadata,
    acceptPolicy: service.acceptPolicy || AcceptPolicy.ACCEPT_POLICY_MANUAL,
    maxActiveChats: service.maxActiveChats,
    allowedConsumers: service.allowedConsumers,
    openChannelId: before?.openChannelId ?? "",
    registeredAtMs: before?.registeredAtMs ?? env.nowMs(),
  };
  if (before === undefined) record.openChannelId = await openChannel(context, record);
  await tx.putService(record);
  return { service: record };
}

/** Withdraws a service: its open channel goes, its pending requests are rejected (S2). */
export async function unregisterService(
  context: Context,
  agentId: string,
  serviceId: string,
): Promise<Refusal | undefined> {
  const { tx } = context;
  const service = await tx.service(serviceId);
  if (service === undefined || !isVisible(service, agentId)) {
    return denyService(context, agentId, serviceId, service);
  }
  if (service.providerId !== agentId) {
    const detail = `NOT_PROVIDER ${serviceId}`;
    context.denied.push({ actor: agentId, agentId: service.providerId, channelId: "", detail });
    return refuse("NOT_PROVIDER", "only the agent that registered a service withdraws it");
  }
  const pending = await tx.pendingRequests({
    providerId: agentId,
    serviceId,
    limit: Number.MAX_SAFE_INTEGER,
  });
  for (const channel of pending) {
    await rejectByHub(
      context,
      channel,
      RejectCode.REJECT_CODE_WITHDRAWN,
      "the service was withdrawn",
    );
  }
  await tx.deleteService(serviceId);
  await tx.deleteChannel(service.openChannelId);
  return undefined;
}

/** Rejects a pending request in the provider's place; both members hear of it (C4, C8). */
export async function rejectByHub(
  context: Context,
  channel: Channel,
  code: RejectCode,
  reason: string,
): Promise<void> {
  await write(context, channel, {
    author: HUB_AUTHOR,
    frame: { $case: "chatReject", value: ChatReject.fromPartial({ code, reason }) },
  });
}

/** Hands out a service's open channel and opens the next, so that there is always one (S1). */
export async function takeOpenChannel(context: Context, service: ServiceRecord): Promise<Channel> {
  const channel = await context.tx.channel(service.openChannelId);
  if (channel === undefined) throw new Error("a registered service without an open channel");
  const openChannelId = await openChannel(context, service);
  await context.tx.putService({ ...service, openChannelId });
  return channel;
}

async function openChannel({ tx, env }: Context, service: ServiceRecord): Promise<string> {
  const channel = newChannel({
    channelId: env.newId("ch"),
    serviceId: service.serviceId,
    providerId: service.providerId,
    createdAtMs: env.nowMs(),
  });
  await tx.putChannel(channel);
  return channel.channelId;
}
