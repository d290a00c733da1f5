import type { CallOptions } from "./call-options.js";
import type { ChatHubError } from "./errors.js";
import type {
  AcceptInput,
  GivenEndCodeName,
  GivenRejectCodeName,
  HistoryMessage,
  MetadataRecord,
  Receipt,
  RejectInput,
  ReplyInput,
} from "./vocabulary.js";

/** What every delivered entry has. */
interface IncomingHead {
  channelId: string;
  /** Its place in the channel. */
  seq: number;
  timestamp: Date;
  /** It comes from the hub's log, not from the peer's hand just now. */
  replayed: boolean;
  /**
   * Says by hand that this entry and everything before it in its channel is handled. Not
   * needed where a handler returns or a loop asks for the next; harmless when repeated.
   */
  ack(): void;
}

/** The peer said something. */
export interface IncomingMessage extends IncomingHead, HistoryMessage {
  kind: "message";
  /** Sends into the same channel, with replyTo set. */
  reply(content: string | ReplyInput, options?: CallOptions): Promise<Receipt>;
}

/** A consumer asks this agent for a chat. */
export interface IncomingRequest extends IncomingHead {
  kind: "request";
  consumerId: string;
  /** Empty for a direct chat. */
  serviceId: string;
  content: string;
  metadata: MetadataRecord;
  /** Agrees. Once that is stored the request counts as handled, as after reject(). */
  accept(
    words?: Pick<AcceptInput, "content" | "metadata">,
    options?: CallOptions,
  ): Promise<Receipt>;
  reject(
    words?: Pick<RejectInput, "reason" | "code" | "retryAfterMs">,
    options?: CallOptions,
  ): Promise<Receipt>;
}

/** A request of this agent was accepted, or, by the hub, one made to it. */
export interface IncomingAccept extends IncomingHead {
  kind: "accept";
  providerId: string;
  serviceId: string;
  content: string;
  metadata: MetadataRecord;
}

/** A request was rejected, by the provider or by the hub. */
export interface IncomingReject extends IncomingHead {
  kind: "reject";
  providerId: string;
  serviceId: string;
  reason: string;
  code: GivenRejectCodeName | undefined;
  retryAfterMs: number | undefined;
}

/** The chat is over. */
export interface IncomingEnd extends IncomingHead {
  kind: "end";
  endedBy: string;
  reason: string;
  code: GivenEndCodeName | undefined;
}

/** Whatever can be delivered, by its kind. */
export interface IncomingByKind {
  message: IncomingMessage;
  request: IncomingRequest;
  accept: IncomingAccept;
  reject: IncomingReject;
  end: IncomingEnd;
}

export type IncomingKind = keyof IncomingByKind;
export type IncomingEntry = IncomingByKind[IncomingKind];

/** A function for each kind of entry that is listened for. */
export type Handlers = {
  [Kind in IncomingKind]?: (entry: IncomingByKind[Kind]) => void | Promise<void>;
};

/** A handler threw, again and again, or after it had acked its entry. */
export interface HandlerFailure {
  channelId: string;
  seq: number;
  entry: IncomingEntry;
  /** What the handler threw last. */
  error: unknown;
  /**
   * The channel stands still: nothing further in it is handled or acked in this session. Acking
   * the entry in onFailed itself skips it instead, and the channel goes on.
   */
  stopped: boolean;
}

/** The peer has handled more of a channel (D6). */
export interface PeerProgress {
  channelId: string;
  /** The peer. */
  agentId: string;
  /** Everything up to this seq is handled by it, or written by it. */
  ackedSeq: number;
}

/** What a hub takes and gives in one session; 0 where it announces no such limit. */
export interface SessionLimits {
  /** The largest request, encoded. */
  maxMessageBytes: number;
  /** Deliveries that may be unacked, in one channel and in all, and their bytes in all (D5). */
  maxUnackedPerChannel: number;
  maxUnacked: number;
  maxUnackedBytes: number;
  heartbeatIntervalMs: number;
}

/** A session that began. */
export interface SessionInfo {
  sessionId: string;
  storeEpoch: string;
  /** Entries about to be replayed, at most. */
  backlog: number;
  limits: SessionLimits;
}

/** The connection comes and goes. */
export type ConnectionEvent =
  | { state: "connecting" }
  | ({ state: "connected" } & SessionInfo)
  | { state: "disconnected"; reason: string; retryInMs: number }
  /** A newer session of the agent took over; this client stays down (I4). */
  | { state: "superseded" }
  /** Disconnected for good: by disconnect(), or because the hub refused the session. */
  | { state: "closed"; error?: ChatHubError };
