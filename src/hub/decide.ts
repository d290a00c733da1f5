import { type Refusal, refuse } from "../protocol/refusals.js";
import { ChannelState } from "../protocol/wire.js";
import { type Channel, roleOf } from "./channel.js";
import { channelNotFound } from "./common-refusals.js";

/**
 * What the state of a channel allows (C1, C3, C6). Pure: no clock, no database.
 * `store` means the entry may be appended; `repeat` names the entry that said
 * the same before and whose receipt is given again.
 */
export type Decision = { store: true } | { repeat: number } | { refusal: Refusal };

const STORE: Decision = { store: true };

/** May the agent accept or reject this request? */
export function decideAnswer(
  channel: Channel,
  agentId: string,
  answer: "accept" | "reject",
): Decision {
  const role = roleOf(channel, agentId);
  if (role === undefined) return { refusal: channelNotFound(channel.channelId) };
  if (role === "consumer") {
    return { refusal: refuse("NOT_PROVIDER", "only the provider answers a request") };
  }
  if (channel.state === ChannelState.CHANNEL_STATE_REQUESTED) return STORE;
  if (channel.answerSeq > 0) {
    const rejected = channel.state === ChannelState.CHANNEL_STATE_REJECTED;
    if (rejected === (answer === "reject")) return { repeat: channel.answerSeq };
    return {
      refusal: refuse(
        "ALREADY_ANSWERED",
        `this request was ${rejected ? "rejected" : "accepted"} before; an answer cannot be changed`,
      ),
    };
  }
  switch (channel.state) {
    case ChannelState.CHANNEL_STATE_ACTIVE:
      return { refusal: refuse("ALREADY_ANSWERED", "this chat began without a request") };
    case ChannelState.CHANNEL_STATE_ENDED:
      return {
        refusal: refuse("CHANNEL_ENDED", "the request was taken back, or the chat is over"),
      };
    default:
      return { refusal: refuse("CHAT_NOT_ACCEPTED", "nobody has asked for a chat here yet") };
  }
}

/** May the agent say something here? */
export function decideMessage(channel: Channel, agentId: string): Decision {
  if (roleOf(channel, agentId) === undefined) {
    return { refusal: channelNotFound(channel.channelId) };
  }
  switch (channel.state) {
    case ChannelState.CHANNEL_STATE_ACTIVE:
      return STORE;
    case ChannelState.CHANNEL_STATE_ENDED:
      return { refusal: refuse("CHANNEL_ENDED", "the chat is over; ask for a new one") };
    case ChannelState.CHANNEL_STATE_REJECTED:
      return { refusal: refuse("CHANNEL_ENDED", "the chat was rejected; ask for a new one") };
    default:
      return {
        refusal: refuse("CHAT_NOT_ACCEPTED", "the provider has not accepted this chat yet"),
      };
  }
}

/** May an admin who is no member end this chat, also one that was only asked for? */
export function decideEndByAdmin(channel: Channel): Decision {
  return channel.state === ChannelState.CHANNEL_STATE_REQUESTED
    ? STORE
    : decideEnd(channel, channel.providerId);
}

/** May the agent end this chat, or take the request back? */
export function decideEnd(channel: Channel, agentId: string): Decision {
  const role = roleOf(channel, agentId);
  if (role === undefined) return { refusal: channelNotFound(channel.channelId) };
  switch (channel.state) {
    case ChannelState.CHANNEL_STATE_ACTIVE:
      return STORE;
    case ChannelState.CHANNEL_STATE_ENDED:
      return { repeat: channel.endSeq };
    case ChannelState.CHANNEL_STATE_REJECTED:
      return { refusal: refuse("CHANNEL_ENDED", "the chat was rejected; there is nothing to end") };
    case ChannelState.CHANNEL_STATE_REQUESTED:
      return role === "consumer"
        ? STORE
        : { refusal: refuse("CHAT_NOT_ACCEPTED", "answer a pending request with chat_reject") };
    default:
      return { refusal: refuse("CHAT_NOT_ACCEPTED", "nobody has asked for a chat here yet") };
  }
}
