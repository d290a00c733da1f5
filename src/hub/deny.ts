import type { Refusal } from "../protocol/refusals.js";
import type { Channel } from "./channel.js";
import { channelNotFound, serviceNotFound } from "./common-refusals.js";
import type { Context } from "./context.js";
import type { ServiceRecord } from "./store.js";

/*
 * What is not there and what is not the caller's is refused with the same words (C7, S3); where it
 * is there, the audit log learns of it.
 */

/** Notes that an agent gave itself out for another; of other refusals, nothing (I1). */
export function noteFalseName({ denied }: Context, actor: string, { reason }: Refusal): void {
  if (reason !== "SENDER_MISMATCH") return;
  denied.push({ actor, agentId: "", channelId: "", detail: reason });
}

/** Refuses a channel. @param channel what stands under that name */
export function denyChannel(
  { denied }: Context,
  actor: string,
  channelId: string,
  channel: Channel | undefined,
): Refusal {
  if (channel !== undefined) {
    denied.push({ actor, agentId: "", channelId, detail: "CHANNEL_NOT_FOUND" });
  }
  return channelNotFound(channelId);
}

/** Refuses a service. @param service what is registered under that name */
export function denyService(
  { denied }: Context,
  actor: string,
  serviceId: string,
  service: ServiceRecord | undefined,
): Refusal {
  if (service !== undefined) {
    const detail = `SERVICE_NOT_FOUND ${serviceId}`;
    denied.push({ actor, agentId: service.providerId, channelId: "", detail });
  }
  return serviceNotFound(serviceId);
}
