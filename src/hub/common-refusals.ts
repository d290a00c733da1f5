import { type Refusal, refuse } from "../protocol/refusals.js";

/** Refusals that several commands give, each with one wording. */

/** The same words whether a channel does not exist or is not the caller's (C7). */
export function channelNotFound(channelId: string): Refusal {
  return refuse("CHANNEL_NOT_FOUND", `you have no channel ${JSON.stringify(channelId)}`);
}

export function serviceNotFound(serviceId: string): Refusal {
  return refuse("SERVICE_NOT_FOUND", `there is no service ${JSON.stringify(serviceId)}`);
}

export function directChatsDisabled(): Refusal {
  return refuse("DIRECT_CHATS_DISABLED", "this hub allows chats about a service only; name one");
}
