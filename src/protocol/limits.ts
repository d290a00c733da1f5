/** What the contract bounds, in one place; the proto's comments state the same figures. */

/** Longest agent or service id, in characters (I3). */
export const MAX_ID_CHARS = 128;
/** Longest message_id, idempotency_key, request_id and reply_to, in UTF-8 bytes. */
export const MAX_KEY_BYTES = 128;
/** Largest frame an agent may send unless the hub is configured otherwise, in encoded bytes (M7). */
export const DEFAULT_MAX_MESSAGE_BYTES = 1024 * 1024;
/** What the transport itself takes, in bytes; more than that ends the session (M5). */
export const MAX_TRANSPORT_BYTES = 4 * 1024 * 1024;
/** No response is larger than this, in encoded bytes (M7). */
export const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;
/** Entries of a metadata map. */
export const MAX_METADATA_ENTRIES = 32;
/** Keys and values of a metadata map together, in UTF-8 bytes. */
export const MAX_METADATA_BYTES = 8 * 1024;
/** Longest media type, in bytes. */
export const MAX_CONTENT_TYPE_BYTES = 255;
/** Longest description of a service, in bytes. */
export const MAX_DESCRIPTION_BYTES = 8 * 1024;
/** Longest query of ListServices, in bytes. */
export const MAX_QUERY_BYTES = 256;
/** Longest reason of a chat_reject or chat_end, in bytes. */
export const MAX_REASON_BYTES = 1024;
/** Codes of a chat_reject or chat_end from here on are for hubs alone, in every later version (I5). */
export const FIRST_HUB_CODE = 1000;
/** Tags of a service, and the longest one in bytes. */
export const MAX_TAGS = 32;
export const MAX_TAG_BYTES = 64;
/** Ids and patterns that say whom a service is for. */
export const MAX_ALLOWED_CONSUMERS = 64;
/** How long a request waits for its answer where it does not say, in milliseconds (C4). */
export const DEFAULT_REQUEST_TIMEOUT_MS = 5 * 60 * 1000;
/** The largest number of a uint32 field. */
export const MAX_UINT32 = 2 ** 32 - 1;
/** The longest wait or delay a client may ask for, in milliseconds (C4). */
export const MAX_DURATION_MS = 7 * 24 * 60 * 60 * 1000;
/** Items of a page where the caller does not say, and at most. */
export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 1000;
/** Positions one request may acknowledge, and set aside. */
export const MAX_ACKS = 1000;

/** Deliveries a manual session may leave unacked where the hub is not told otherwise (D5). */
export const DEFAULT_MAX_UNACKED_PER_CHANNEL = 256;
export const DEFAULT_MAX_UNACKED = 1024;
/** Their encoded bytes together. */
export const MAX_UNACKED_BYTES = 8 * 1024 * 1024;
/** Calls of one connection at a time; a proxy with more agents than that opens further connections. */
export const MAX_CALLS_OF_A_CONNECTION = 256;
/** How often a client that sends heartbeats should, in milliseconds (L3). */
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 10_000;

/** What an operator bounds, and every session is told. 0: no limit, except of metadata. */
export interface HubLimits {
  /** Requests a second of one agent, over all its sessions. */
  maxFramesPerSecond: number;
  /** Their encoded bytes. */
  maxBytesPerSecond: number;
  /** Entries of a metadata map. */
  maxMetadataEntries: number;
  /** Keys and values of a metadata map together, in UTF-8 bytes. */
  maxMetadataBytes: number;
  /** Pending requests of one consumer (C2). */
  maxPendingRequests: number;
  /** Unended chats that an agent has asked for, and its services. */
  maxChannels: number;
  /** Open sessions of one agent. */
  maxSessions: number;
  /** Connections from one IPv4 address or IPv6 /64. */
  maxConnectionsPerAddress: number;
  /** Connections in all. */
  maxConnections: number;
  /** Failed logins from one address before failing ones are put off. */
  maxFailedLoginsPerMinute: number;
}

/** Far above what an agent does that works; low enough to stop one that runs wild. */
export const DEFAULT_LIMITS: HubLimits = {
  maxFramesPerSecond: 20_000,
  maxBytesPerSecond: 64 * 1024 * 1024,
  maxMetadataEntries: MAX_METADATA_ENTRIES,
  maxMetadataBytes: MAX_METADATA_BYTES,
  maxPendingRequests: 100,
  maxChannels: 10_000,
  maxSessions: 64,
  maxConnectionsPerAddress: 1_000,
  maxConnections: 10_000,
  maxFailedLoginsPerMinute: 10,
};

/** A page size as asked for, brought into range: 0 means the default, too much means the most. */
export function pageSize(asked: number): number {
  return asked === 0 ? DEFAULT_PAGE_SIZE : Math.min(asked, MAX_PAGE_SIZE);
}
