import { uuidv7 } from "uuidv7";
import { MAX_DURATION_MS, MAX_UINT32 } from "../protocol/limits.js";
import { durationOf } from "../protocol/time.js";
import type {
  ConnectRequest,
  ListChannelsRequest,
  ListServicesRequest,
  Service,
} from "../protocol/wire.js";
import { argumentError } from "./errors.js";
import { acceptPolicyOf, endCodeOf, rejectCodeOf, stateOf } from "./names.js";
import type {
  AcceptInput,
  ChannelFilter,
  ChatRequestInput,
  EndInput,
  HistoryQuery,
  MessageInput,
  MetadataRecord,
  RejectInput,
  ServiceFilter,
  ServiceOffer,
} from "./vocabulary.js";

/** Most messages have none, and an empty buffer costs as much as a full one. */
const NO_DATA = Buffer.alloc(0);

/** What a caller gives, as the wire has it. The fields the hub sets stay empty (I5). */

export type RequestFrame = NonNullable<ConnectRequest["frame"]>;

/** A request under a key, so that it can be sent again and is stored once (C2). */
export function requestFrame(of: ChatRequestInput): RequestFrame {
  return {
    $case: "chatRequest",
    value: {
      channelId: "",
      seq: 0n,
      consumerId: "",
      providerId: of.providerId ?? "",
      serviceId: of.serviceId ?? "",
      content: of.content ?? "",
      metadata: metadataMap(of.metadata),
      timeout:
        of.answerWithinMs === undefined ? undefined : duration("answerWithinMs", of.answerWithinMs),
      timestamp: undefined,
      idempotencyKey: of.idempotencyKey || uuidv7(),
    },
  };
}

export function acceptFrame(of: AcceptInput): RequestFrame {
  return {
    $case: "chatAccept",
    value: {
      channelId: of.channelId ?? "",
      seq: 0n,
      consumerId: of.consumerId ?? "",
      providerId: "",
      serviceId: of.serviceId ?? "",
      content: of.content ?? "",
      metadata: metadataMap(of.metadata),
      timestamp: undefined,
    },
  };
}

export function rejectFrame(of: RejectInput): RequestFrame {
  return {
    $case: "chatReject",
    value: {
      channelId: of.channelId ?? "",
      seq: 0n,
      consumerId: of.consumerId ?? "",
      providerId: "",
      serviceId: of.serviceId ?? "",
      reason: of.reason ?? "",
      code: rejectCodeOf(of.code),
      retryAfter:
        of.retryAfterMs === undefined ? undefined : duration("retryAfterMs", of.retryAfterMs),
      timestamp: undefined,
    },
  };
}

/** A message under an id, so that it can be sent again and is stored once (M2). */
export function messageFrame(of: MessageInput): RequestFrame {
  return {
    $case: "chatMessage",
    value: {
      messageId: of.messageId || uuidv7(),
      channelId: of.channelId ?? "",
      senderId: "",
      content: of.content ?? "",
      timestamp: undefined,
      seq: 0n,
      targetAgent: of.targetAgent ?? "",
      serviceId: of.serviceId ?? "",
      contentType: of.contentType ?? "",
      // A copy: it may be sent again after the caller has used its bytes for something else.
      data: of.data === undefined || of.data === null ? NO_DATA : Buffer.from(of.data),
      metadata: metadataMap(of.metadata),
      replyTo: of.replyTo ?? "",
    },
  };
}

export function endFrame(of: EndInput): RequestFrame {
  return {
    $case: "chatEnd",
    value: {
      channelId: of.channelId,
      seq: 0n,
      endedBy: "",
      reason: of.reason ?? "",
      code: endCodeOf(of.code),
      timestamp: undefined,
    },
  };
}

export function historyFrame(of: HistoryQuery): RequestFrame {
  return {
    $case: "chatHistory",
    value: {
      channelId: of.channelId ?? "",
      serviceId: of.serviceId ?? "",
      limit: wholeNumber("limit", of.limit, MAX_UINT32),
      beforeSeq: BigInt(wholeNumber("beforeSeq", of.beforeSeq, Number.MAX_SAFE_INTEGER)),
      afterSeq: BigInt(wholeNumber("afterSeq", of.afterSeq, Number.MAX_SAFE_INTEGER)),
    },
  };
}

export function serviceOf(of: ServiceOffer): Service {
  return {
    serviceId: of.serviceId,
    providerId: "",
    description: of.description ?? "",
    tags: of.tags ?? [],
    metadata: metadataMap(of.metadata),
    acceptPolicy: acceptPolicyOf(of.acceptPolicy),
    openChannelId: "",
    providerOnline: false,
    registeredAt: undefined,
    maxActiveChats: wholeNumber("maxActiveChats", of.maxActiveChats, MAX_UINT32),
    allowedConsumers: of.allowedConsumers ?? [],
  };
}

/** @param page how many at most, and the token of the page before */
export function listServicesRequest(
  filter: ServiceFilter,
  page: { pageSize: number; pageToken: string },
): ListServicesRequest {
  return {
    query: filter.query ?? "",
    tags: filter.tags ?? [],
    providerId: filter.providerId ?? "",
    onlineOnly: filter.onlineOnly ?? false,
    ...page,
  };
}

/** @param page how many at most, and the token of the page before */
export function listChannelsRequest(
  filter: ChannelFilter,
  page: { pageSize: number; pageToken: string },
): ListChannelsRequest {
  return {
    state: stateOf(filter.state),
    serviceId: filter.serviceId ?? "",
    peerId: filter.peerId ?? "",
    memberId: filter.memberId ?? "",
    ...page,
  };
}

function metadataMap(record: MetadataRecord | undefined): Map<string, string> {
  return new Map(Object.entries(record ?? {}));
}

/** 0, the wire's default, where left out. */
function wholeNumber(name: string, value: number | undefined, most: number): number {
  if (value === undefined) return 0;
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw argumentError("BAD_OPTION", `${name} must be a whole number from 0 to ${most}`);
}

function duration(name: string, valueMs: number) {
  if (valueMs >= 0 && valueMs <= MAX_DURATION_MS) return durationOf(valueMs);
  throw argumentError(
    "BAD_OPTION",
    `${name} must be a number of milliseconds from 0 to ${MAX_DURATION_MS} (7 days)`,
  );
}
