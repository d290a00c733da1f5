import { durationMsOf } from "../protocol/time.js";
import type { CallOptions } from "./call-options.js";
import type { Delivery } from "./delivery.js";
import { dateOf, historyMessageOf, recordOf } from "./from-wire.js";
import type {
  IncomingByKind,
  IncomingEntry,
  IncomingKind,
  IncomingMessage,
  IncomingRequest,
} from "./incoming.js";
import { endCodeName, rejectCodeName } from "./names.js";
import type { AcceptInput, MessageInput, Receipt, RejectInput } from "./vocabulary.js";

/** What an entry lets its reader do. */
export interface EntryActions {
  ack(delivery: Delivery): void;
  reply: Action<IncomingMessage, "reply">;
  accept: Action<IncomingRequest, "accept">;
  reject: Action<IncomingRequest, "reject">;
}

/** A method of an entry, as a function that is given the entry first. */
type Action<Entry, Method extends keyof Entry> = Entry[Method] extends (
  ...rest: infer Rest
) => infer Result
  ? (entry: Entry, ...rest: Rest) => Result
  : never;

/** The part of a client that entries answer through. */
interface Speaker {
  sendMessage(message: MessageInput, options?: CallOptions): Promise<Receipt>;
  acceptChat(answer: AcceptInput, options?: CallOptions): Promise<Receipt>;
  rejectChat(answer: RejectInput, options?: CallOptions): Promise<Receipt>;
}

/** Answers go into the channel that the entry came from. */
export function entryActionsOf(speaker: Speaker, ack: EntryActions["ack"]): EntryActions {
  return {
    ack,
    reply({ channelId, messageId }, content, options) {
      const body = typeof content === "string" ? { content } : content;
      return speaker.sendMessage({ ...body, channelId, replyTo: messageId }, options);
    },
    accept: ({ channelId }, words, options) => speaker.acceptChat({ ...words, channelId }, options),
    reject: ({ channelId }, words, options) => speaker.rejectChat({ ...words, channelId }, options),
  };
}

/** A delivered entry as its reader sees it. */
export function incomingEntryOf(delivery: Delivery, actions: EntryActions): IncomingEntry {
  const { channelId, seq, replayed, frame } = delivery;
  const head = {
    channelId,
    seq,
    replayed,
    timestamp: dateOf(frame.value.timestamp),
    ack: () => actions.ack(delivery),
  };
  switch (frame.$case) {
    case "chatMessage": {
      const message: IncomingMessage = {
        ...historyMessageOf(frame.value),
        ...head,
        kind: "message",
        reply: (...rest) => actions.reply(message, ...rest),
      };
      return message;
    }
    case "chatRequest": {
      const { consumerId, serviceId, content, metadata } = frame.value;
      const request: IncomingRequest = {
        ...head,
        kind: "request",
        consumerId,
        serviceId,
        content,
        metadata: recordOf(metadata),
        accept: (...rest) => actions.accept(request, ...rest),
        reject: (...rest) => actions.reject(request, ...rest),
      };
      return request;
    }
    case "chatAccept": {
      const { providerId, serviceId, content, metadata } = frame.value;
      return {
        ...head,
        kind: "accept",
        providerId,
        serviceId,
        content,
        metadata: recordOf(metadata),
      };
    }
    case "chatReject": {
      const { providerId, serviceId, reason, code, retryAfter } = frame.value;
      return {
        ...head,
        kind: "reject",
        providerId,
        serviceId,
        reason,
        code: rejectCodeName(code),
        retryAfterMs: durationMsOf(retryAfter),
      };
    }
    case "chatEnd": {
      const { endedBy, reason, code } = frame.value;
      return { ...head, kind: "end", endedBy, reason, code: endCodeName(code) };
    }
    default:
      return frame satisfies never;
  }
}

/** The entry, where it is of that kind. */
export function ofKind<Kind extends IncomingKind>(
  kind: Kind,
  entry: IncomingEntry,
): IncomingByKind[Kind] {
  if (isKind(kind, entry)) return entry;
  throw new TypeError(`an entry of kind ${entry.kind} went to a reader of kind ${kind}`);
}

function isKind<Kind extends IncomingKind>(
  kind: Kind,
  entry: IncomingEntry,
): entry is IncomingByKind[Kind] {
  return entry.kind === kind;
}
