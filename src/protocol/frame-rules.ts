import * as field from "./field-rules.js";
import {
  DEFAULT_LIMITS,
  FIRST_HUB_CODE,
  MAX_CONTENT_TYPE_BYTES,
  MAX_REASON_BYTES,
} from "./limits.js";
import { type Refusal, refuse } from "./refusals.js";
import type { SentMessage } from "./sent-message.js";
import {
  type ChatAccept,
  type ChatEnd,
  type ChatHistory,
  type ChatReject,
  type ChatRequest,
  type ConnectRequest,
  EndCode,
  RejectCode,
} from "./wire.js";

/** One of the six frames, as a client sends it. */
export type RequestFrame =
  | Exclude<NonNullable<ConnectRequest["frame"]>, { $case: "chatMessage" }>
  | { $case: "chatMessage"; value: SentMessage };

/**
 * What can be said about a frame without knowing any channel: its fields have
 * allowed values, and none that the hub alone may set (I1, I3, I5).
 * @param bounds of metadata
 * @returns the refusal, or undefined where the frame is in order
 */
export function checkFrame(
  frame: RequestFrame,
  agentId: string,
  bounds: field.MetadataBounds = DEFAULT_LIMITS,
): Refusal | undefined {
  switch (frame.$case) {
    case "chatRequest":
      return checkRequest(frame.value, agentId, bounds);
    case "chatAccept":
      return checkAccept(frame.value, agentId, bounds);
    case "chatReject":
      return checkReject(frame.value, agentId);
    case "chatMessage":
      return checkMessage(frame.value, agentId, bounds);
    case "chatEnd":
      return checkEnd(frame.value, agentId);
    case "chatHistory":
      return checkHistory(frame.value);
    default:
      return frame satisfies never;
  }
}

function checkRequest(
  frame: ChatRequest,
  agentId: string,
  bounds: field.MetadataBounds,
): Refusal | undefined {
  return (
    field.ownName("chat_request.consumer_id", frame.consumerId, agentId) ??
    field.unset("chat_request.channel_id", frame.channelId !== "") ??
    field.unset("chat_request.seq", frame.seq !== 0n) ??
    field.unset("chat_request.timestamp", frame.timestamp !== undefined) ??
    field.required(
      "chat_request.service_id",
      frame.serviceId || frame.providerId,
      "name the service, or the provider_id for a direct chat",
    ) ??
    field.id("chat_request.service_id", frame.serviceId) ??
    field.id("chat_request.provider_id", frame.providerId) ??
    field.key("chat_request.idempotency_key", frame.idempotencyKey) ??
    field.duration("chat_request.timeout", frame.timeout, 1) ??
    field.metadata("chat_request.metadata", frame.metadata, bounds)
  );
}

function checkAccept(
  frame: ChatAccept,
  agentId: string,
  bounds: field.MetadataBounds,
): Refusal | undefined {
  return (
    checkAnswer("chat_accept", frame, agentId) ??
    field.metadata("chat_accept.metadata", frame.metadata, bounds)
  );
}

function checkReject(frame: ChatReject, agentId: string): Refusal | undefined {
  const hubCode =
    frame.code === RejectCode.REJECT_CODE_EXPIRED ||
    frame.code === RejectCode.REJECT_CODE_WITHDRAWN ||
    isLaterHubCode(frame.code);
  return (
    checkAnswer("chat_reject", frame, agentId) ??
    field.unset("chat_reject.code EXPIRED, WITHDRAWN or from 1000 on", hubCode) ??
    field.text("chat_reject.reason", frame.reason, MAX_REASON_BYTES) ??
    field.duration("chat_reject.retry_after", frame.retryAfter, 0)
  );
}

function checkAnswer(
  name: string,
  frame: ChatAccept | ChatReject,
  agentId: string,
): Refusal | undefined {
  return (
    field.ownName(`${name}.provider_id`, frame.providerId, agentId) ??
    field.unset(`${name}.seq`, frame.seq !== 0n) ??
    field.unset(`${name}.timestamp`, frame.timestamp !== undefined) ??
    field.required(
      `${name}.channel_id`,
      frame.channelId || frame.consumerId,
      "name the request's channel, or the consumer_id whose one pending request is meant",
    ) ??
    field.key(`${name}.channel_id`, frame.channelId) ??
    field.id(`${name}.consumer_id`, frame.consumerId) ??
    field.id(`${name}.service_id`, frame.serviceId)
  );
}

function checkMessage(
  frame: SentMessage,
  agentId: string,
  bounds: field.MetadataBounds,
): Refusal | undefined {
  return (
    field.ownName("chat_message.sender_id", frame.senderId, agentId) ??
    field.unset("chat_message.seq", frame.setsSeq) ??
    field.unset("chat_message.timestamp", frame.setsTimestamp) ??
    field.required(
      "chat_message.channel_id",
      frame.channelId || frame.serviceId || frame.targetAgent,
      "name the channel, or a service_id, or a target_agent",
    ) ??
    (frame.isEmpty
      ? refuse("MISSING_FIELD", "chat_message.content is empty, and so is data; say something")
      : undefined) ??
    field.key("chat_message.channel_id", frame.channelId) ??
    field.id("chat_message.service_id", frame.serviceId) ??
    field.id("chat_message.target_agent", frame.targetAgent) ??
    field.key("chat_message.message_id", frame.messageId) ??
    field.key("chat_message.reply_to", frame.replyTo) ??
    field.text("chat_message.content_type", frame.contentType, MAX_CONTENT_TYPE_BYTES) ??
    field.metadata("chat_message.metadata", frame.metadata, bounds)
  );
}

function checkEnd(frame: ChatEnd, agentId: string): Refusal | undefined {
  return (
    field.ownName("chat_end.ended_by", frame.endedBy, agentId) ??
    field.unset("chat_end.seq", frame.seq !== 0n) ??
    field.unset("chat_end.timestamp", frame.timestamp !== undefined) ??
    field.unset(
      "chat_end.code POLICY or from 1000 on",
      frame.code === EndCode.END_CODE_POLICY || isLaterHubCode(frame.code),
    ) ??
    field.required("chat_end.channel_id", frame.channelId, "name the chat to end") ??
    field.key("chat_end.channel_id", frame.channelId) ??
    field.text("chat_end.reason", frame.reason, MAX_REASON_BYTES)
  );
}

/**
 * Whether a code may be one that a later hub says: what is stored with it today, that hub would
 * deliver as a hub's word. Other codes that are not known are the agents' own, and carried.
 */
function isLaterHubCode(code: number): boolean {
  return code < 0 || code >= FIRST_HUB_CODE;
}

function checkHistory(frame: ChatHistory): Refusal | undefined {
  return (
    field.required(
      "chat_history.channel_id",
      frame.channelId || frame.serviceId,
      "name the channel, or the service_id whose newest channel is meant",
    ) ??
    field.key("chat_history.channel_id", frame.channelId) ??
    field.id("chat_history.service_id", frame.serviceId)
  );
}
