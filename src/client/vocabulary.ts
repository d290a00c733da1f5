/** What callers give to a client and get from it. Seqs are numbers, times are Dates. */

/** Keys and values that travel beside the words. */
export type MetadataRecord = Record<string, string>;

/** Where a channel stands (C1). "unknown" is a state of a newer hub. */
export type ChannelStateName = "open" | "requested" | "active" | "rejected" | "ended" | "unknown";
/** Why a provider declines. */
export type RejectCodeName = "busy" | "not_allowed" | "unsupported";
/** Why a request was declined; the last two are said by the hub only. */
export type GivenRejectCodeName = RejectCodeName | "expired" | "withdrawn";
/** Why a chat was ended. */
export type EndCodeName = "completed" | "cancelled" | "failed";
/** The same; the last is said by the hub only, where an operator ended it. */
export type GivenEndCodeName = EndCodeName | "policy";

/** A service to offer. */
export interface ServiceOffer {
  serviceId: string;
  description?: string;
  tags?: string[];
  metadata?: MetadataRecord;
  /** "auto": the hub accepts each request at once. Default "manual". */
  acceptPolicy?: "manual" | "auto";
  /** Active chats at once; default 0: no limit. */
  maxActiveChats?: number;
  /** Ids or patterns, such as `weather-*`, of those who may find it and ask. Default: everybody. */
  allowedConsumers?: string[];
}

/** A registered service. */
export interface ServiceInfo {
  serviceId: string;
  providerId: string;
  description: string;
  tags: string[];
  metadata: MetadataRecord;
  acceptPolicy: "manual" | "auto";
  maxActiveChats: number;
  /** Empty for others than the provider, and where everybody may ask. */
  allowedConsumers: string[];
  /** The channel its next consumer will be bound to; empty for others than the provider. */
  openChannelId: string;
  providerOnline: boolean;
  registeredAt: Date;
}

/** One conversation. */
export interface ChannelInfo {
  channelId: string;
  /** Empty for a direct chat. */
  serviceId: string;
  providerId: string;
  /** Empty while the channel is open. */
  consumerId: string;
  createdAt: Date;
  state: ChannelStateName;
  /** Seq of its newest entry; 0 where there is none. */
  lastSeq: number;
  /** How far each member has handled it, the provider first. */
  positions: { agentId: string; ackedSeq: number; online: boolean }[];
  /** Why it was rejected or ended. */
  reason: string;
  rejectCode: GivenRejectCodeName | undefined;
  endCode: GivenEndCodeName | undefined;
  /** When it was rejected or ended. */
  endedAt: Date | undefined;
}

/** The hub's word that an entry is stored (M1). */
export interface Receipt {
  channelId: string;
  /** The entry's place in its channel. */
  seq: number;
  /** Of a message: its id. Empty for the other kinds. */
  messageId: string;
  timestamp: Date;
  /** It had been stored before; seq and timestamp are the first storing's. */
  duplicate: boolean;
}

/** A chat to ask for: by service, by provider for a direct one, or both. */
export interface ChatRequestInput {
  serviceId?: string;
  providerId?: string;
  content?: string;
  metadata?: MetadataRecord;
  /** How long the provider has to answer, in milliseconds. Default 5 minutes, at most 7 days. */
  answerWithinMs?: number;
  /** Stored once under this key (C2). Made by the client where left out. */
  idempotencyKey?: string;
}

/** How a request was answered. */
export interface ChatAnswer {
  status: "accepted" | "rejected" | "expired";
  channelId: string;
  /** The provider's words when it accepted. */
  content?: string;
  /** Why it was rejected. */
  reason?: string;
  code?: GivenRejectCodeName;
  /** When asking again may make sense. */
  retryAfterMs?: number;
}

/** Names a pending request: by its channel, or by the consumer who has only this one pending. */
export interface PendingRequestName {
  channelId?: string;
  consumerId?: string;
  /** Narrows consumerId down. */
  serviceId?: string;
}

export interface AcceptInput extends PendingRequestName {
  content?: string;
  metadata?: MetadataRecord;
}

export interface RejectInput extends PendingRequestName {
  reason?: string;
  code?: RejectCodeName;
  retryAfterMs?: number;
}

/** A message and where it goes: channelId; or serviceId and targetAgent, or one of them. */
export interface MessageInput {
  targetAgent?: string;
  channelId?: string;
  serviceId?: string;
  /** Text. Either this or data is required. */
  content?: string;
  /** Bytes that are no text. */
  data?: Uint8Array;
  /** A media type; empty means text/plain; charset=utf-8. */
  contentType?: string;
  metadata?: MetadataRecord;
  /** The messageId this answers. */
  replyTo?: string;
  /** Stored once under this id (M2). Made by the client where left out. */
  messageId?: string;
}

/** What a reply may carry beside its text. */
export type ReplyInput = Pick<
  MessageInput,
  "content" | "data" | "contentType" | "metadata" | "messageId"
>;

export interface EndInput {
  channelId: string;
  reason?: string;
  code?: EndCodeName;
}

/** Which messages to read: the newest, or those before or after a seq. */
export interface HistoryQuery {
  channelId?: string;
  /** The caller's newest channel about this service, where channelId is left out. */
  serviceId?: string;
  /** At most this many. Default 50, at most 1000. */
  limit?: number;
  beforeSeq?: number;
  afterSeq?: number;
}

/** A message as kept. */
export interface HistoryMessage {
  messageId: string;
  channelId: string;
  senderId: string;
  content: string;
  timestamp: Date;
  seq: number;
  targetAgent: string;
  serviceId: string;
  contentType: string;
  data: Uint8Array;
  metadata: MetadataRecord;
  /** Empty where it answers none. */
  replyTo: string;
}

/** A page of messages, oldest first. */
export interface HistoryPage {
  /** The conversation as it stands now. */
  channel: ChannelInfo;
  messages: HistoryMessage[];
  /** There is more in the direction asked for. */
  hasMore: boolean;
}

/** Every filter that is set must hold. */
export interface ServiceFilter {
  /** Words that must all occur in the id, the description or the tags. */
  query?: string;
  tags?: string[];
  providerId?: string;
  onlineOnly?: boolean;
}

/** Every filter that is set must hold. */
export interface ChannelFilter {
  state?: Exclude<ChannelStateName, "unknown">;
  serviceId?: string;
  peerId?: string;
  /** For admins: whose channels, or `*` for everybody's. Default: the caller's own. */
  memberId?: string;
}
