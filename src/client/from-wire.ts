import { durationMsOf, epochMsOf } from "../protocol/time.js";
import type {
  Channel,
  ChannelProgress,
  ChatAccept,
  ChatHistoryPage,
  ChatMessage,
  ChatReject,
  Service,
  SessionStarted,
  Timestamp,
  Receipt as WireReceipt,
} from "../protocol/wire.js";
import type { PeerProgress, SessionInfo } from "./incoming.js";
import { acceptPolicyName, endCodeName, rejectCodeName, stateName } from "./names.js";
import type {
  ChannelInfo,
  ChatAnswer,
  HistoryMessage,
  HistoryPage,
  MetadataRecord,
  Receipt,
  ServiceInfo,
} from "./vocabulary.js";

/** What the wire brings, as callers see it. */

export function receiptOf(wire: WireReceipt): Receipt {
  return {
    channelId: wire.channelId,
    seq: Number(wire.seq),
    messageId: wire.messageId,
    timestamp: dateOf(wire.timestamp),
    duplicate: wire.duplicate,
  };
}

export function historyMessageOf(wire: ChatMessage): HistoryMessage {
  return {
    messageId: wire.messageId,
    channelId: wire.channelId,
    senderId: wire.senderId,
    content: wire.content,
    timestamp: dateOf(wire.timestamp),
    seq: Number(wire.seq),
    targetAgent: wire.targetAgent,
    serviceId: wire.serviceId,
    contentType: wire.contentType,
    data: wire.data,
    metadata: recordOf(wire.metadata),
    replyTo: wire.replyTo,
  };
}

export function historyPageOf(wire: ChatHistoryPage, channel: Channel): HistoryPage {
  return {
    channel: channelInfoOf(channel),
    messages: wire.messages.map(historyMessageOf),
    hasMore: wire.hasMore,
  };
}

export function channelInfoOf(wire: Channel): ChannelInfo {
  return {
    channelId: wire.channelId,
    serviceId: wire.serviceId,
    providerId: wire.providerId,
    consumerId: wire.consumerId,
    createdAt: dateOf(wire.createdAt),
    state: stateName(wire.state),
    lastSeq: Number(wire.lastSeq),
    positions: wire.positions.map((position) => ({
      agentId: position.agentId,
      ackedSeq: Number(position.ackedSeq),
      online: position.online,
    })),
    reason: wire.reason,
    rejectCode: rejectCodeName(wire.rejectCode),
    endCode: endCodeName(wire.endCode),
    endedAt: wire.endedAt === undefined ? undefined : dateOf(wire.endedAt),
  };
}

export function serviceInfoOf(wire: Service): ServiceInfo {
  return {
    serviceId: wire.serviceId,
    providerId: wire.providerId,
    description: wire.description,
    tags: wire.tags,
    metadata: recordOf(wire.metadata),
    acceptPolicy: acceptPolicyName(wire.acceptPolicy),
    maxActiveChats: wire.maxActiveChats,
    allowedConsumers: wire.allowedConsumers,
    openChannelId: wire.openChannelId,
    providerOnline: wire.providerOnline,
    registeredAt: dateOf(wire.registeredAt),
  };
}

/** The answer to a request, from the entry that holds it. */
export function answerOf(
  frame: { $case: "chatAccept"; value: ChatAccept } | { $case: "chatReject"; value: ChatReject },
): ChatAnswer {
  if (frame.$case === "chatAccept") {
    const { channelId, content } = frame.value;
    return { status: "accepted", channelId, content };
  }
  const { channelId, reason, code, retryAfter } = frame.value;
  return rejection(channelId, reason, rejectCodeName(code), durationMsOf(retryAfter));
}

/** The answer to a request, from its channel; undefined while there is none. */
export function answerOfChannel(channel: ChannelInfo): ChatAnswer | undefined {
  const { channelId, state, reason, rejectCode, lastSeq } = channel;
  if (state === "active") return { status: "accepted", channelId };
  if (state === "rejected") return rejection(channelId, reason, rejectCode, undefined);
  // A chat that is over was accepted first, unless its second entry already ended it.
  if (state === "ended" && lastSeq > 2) return { status: "accepted", channelId };
  return undefined;
}

function rejection(
  channelId: string,
  reason: string,
  code: ChatAnswer["code"] | undefined,
  retryAfterMs: number | undefined,
): ChatAnswer {
  return {
    status: code === "expired" ? "expired" : "rejected",
    channelId,
    reason,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function recordOf(map: Map<string, string>): MetadataRecord {
  return Object.fromEntries(map);
}

export function sessionInfoOf(wire: SessionStarted): SessionInfo {
  const { sessionId, storeEpoch, backlog, limits } = wire;
  return {
    sessionId,
    storeEpoch,
    backlog: Number(backlog),
    limits: {
      maxMessageBytes: limits?.maxMessageBytes ?? 0,
      maxUnackedPerChannel: limits?.maxUnackedPerChannel ?? 0,
      maxUnacked: limits?.maxUnacked ?? 0,
      maxUnackedBytes: limits?.maxUnackedBytes ?? 0,
      heartbeatIntervalMs: durationMsOf(limits?.heartbeatInterval) ?? 0,
    },
  };
}

export function progressOf({ channelId, agentId, ackedSeq }: ChannelProgress): PeerProgress {
  return { channelId, agentId, ackedSeq: Number(ackedSeq) };
}

export function dateOf(timestamp: Timestamp | undefined): Date {
  return new Date(epochMsOf(timestamp));
}
