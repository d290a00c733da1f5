import { ChannelState, type EndCode, type RejectCode } from "../protocol/wire.js";

/** The two sides of a channel. */
export type Role = "provider" | "consumer";

/** What one member has to read of a channel, and how far it has got. */
export interface MemberProgress {
  /** Everything up to this seq is handled by the member, or written by it. */
  readonly position: number;
  /** The newest entry somebody else wrote: the member is behind while position < due. */
  readonly due: number;
}

/** One conversation, as its entries so far have left it; a later state is another object. */
export interface Channel {
  readonly channelId: string;
  /** Empty for a direct chat. */
  readonly serviceId: string;
  readonly providerId: string;
  /** Empty while the channel is OPEN. */
  readonly consumerId: string;
  readonly state: ChannelState;
  readonly createdAtMs: number;
  /** Seq of the newest entry; 0 where there is none. */
  readonly lastSeq: number;
  /** When the pending request was stored, and how long it waits; 0 without one (C4). */
  readonly requestedAtMs: number;
  readonly timeoutMs: number;
  /** Seq of the accept or reject; 0 where there is none. */
  readonly answerSeq: number;
  /** Seq of the chat_end; 0 where there is none. */
  readonly endSeq: number;
  /** When it was rejected or ended; 0 before. */
  readonly closedAtMs: number;
  /** Why it was rejected or ended, in words. */
  readonly reason: string;
  readonly rejectCode: RejectCode;
  readonly endCode: EndCode;
  readonly provider: MemberProgress;
  readonly consumer: MemberProgress;
}

/** A channel without entries: a service's open one, or one about to get its first entry. */
export function newChannel(of: {
  channelId: string;
  serviceId: string;
  providerId: string;
  consumerId?: string;
  createdAtMs: number;
}): Channel {
  return {
    channelId: of.channelId,
    serviceId: of.serviceId,
    providerId: of.providerId,
    consumerId: of.consumerId ?? "",
    state: ChannelState.CHANNEL_STATE_OPEN,
    createdAtMs: of.createdAtMs,
    lastSeq: 0,
    requestedAtMs: 0,
    timeoutMs: 0,
    answerSeq: 0,
    endSeq: 0,
    closedAtMs: 0,
    reason: "",
    rejectCode: 0,
    endCode: 0,
    provider: { position: 0, due: 0 },
    consumer: { position: 0, due: 0 },
  };
}

/** Which side of a channel an agent is on; undefined for a stranger (C7). */
export function roleOf(channel: Channel, agentId: string): Role | undefined {
  if (agentId === channel.providerId) return "provider";
  if (agentId === channel.consumerId) return "consumer";
  return undefined;
}

/** The other member; empty while the channel has none. */
export function peerOf(channel: Channel, agentId: string): string {
  return agentId === channel.providerId ? channel.consumerId : channel.providerId;
}
