import { type Refusal, refuse } from "../protocol/refusals.js";

/** Refusals that several commands give, each with one wording. */

/** The same words whether a channel does not exist or is not the caller's (C7). */
export function channelNotFound(channelId: string): Refusal {
  return refuse("CHANNEL_NOT_FOUND", `you have no channel ${JSON.stringify(channelId)}`);
}

export function serviceNotFound(serviceId: string): Refusal {
  return refuse("SERVICE_NOT_FOUND", `there is no service ${JSON.stringify(serviceId)}`);
}

export function agentNotFound(agentId: string): Refusal {
  return refuse(
    "AGENT_NOT_FOUND",
    `this hub knows no agent ${JSON.stringify(agentId)}; it has to log in once, or be given a key`,
  );
}

export function tooManyChannels(maxChannels: number): Refusal {
  return refuse(
    "TOO_MANY_CHANNELS",
    `${maxChannels} chats you asked for are not over, your services counted in; end one first`,
  );
}

export function directChatsDisabled(): Refusal {
  return refuse("DIRECT_CHATS_DISABLED", "this hub allows chats about a service only; name one");
}
