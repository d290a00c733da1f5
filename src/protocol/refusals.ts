/**
 * Every refusal the hub can give. docs/protocol.md prints this table and a test
 * holds the two together; each row is provoked over a real connection.
 */

/** gRPC status codes by name (https://grpc.io/docs/guides/status-codes/). */
export const GRPC_STATUS = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

interface RefusalKind {
  /** Name of the gRPC status code. */
  code: keyof typeof GRPC_STATUS;
  /** When it is given, for the documentation. */
  when: string;
  /** Sending the same again later may succeed. */
  retryable?: true;
  /** How long to wait before that, in milliseconds. */
  retryAfterMs?: number;
}

export const REFUSALS = {
  MISSING_FIELD: { code: "INVALID_ARGUMENT", when: "a required field is empty" },
  INVALID_ID: {
    code: "INVALID_ARGUMENT",
    when: "an agent or service id, or a key, is not of the allowed form",
  },
  EMPTY_FRAME: {
    code: "INVALID_ARGUMENT",
    when: "a request holds no frame, no positions and no heartbeat, or a frame this hub does not know",
  },
  HUB_FIELD_SET: {
    code: "INVALID_ARGUMENT",
    when: "the client filled a field, or said a code, that only the hub may",
  },
  BAD_TEXT: { code: "INVALID_ARGUMENT", when: "a text field is not valid UTF-8, or is too long" },
  BAD_TIMEOUT: { code: "INVALID_ARGUMENT", when: "a duration is out of its range" },
  BAD_VALUE: {
    code: "INVALID_ARGUMENT",
    when: "a page token, an enum or call metadata has no meaning here, or there are too many tags, acks or allowed consumers",
  },
  METADATA_TOO_LARGE: {
    code: "INVALID_ARGUMENT",
    when: "metadata has more entries or bytes than max_metadata_entries and max_metadata_bytes",
  },
  MESSAGE_TOO_LARGE: {
    code: "INVALID_ARGUMENT",
    when: "the request is larger than max_message_bytes",
  },
  ADDRESS_CONFLICT: {
    code: "INVALID_ARGUMENT",
    when: "two addressing fields of one frame name different things",
  },
  SELF_CHAT: { code: "INVALID_ARGUMENT", when: "an agent asks for a chat with itself" },
  CHANNEL_NOT_FOUND: {
    code: "NOT_FOUND",
    when: "there is no such channel or request of the caller's, whether or not it exists for others",
  },
  SERVICE_NOT_FOUND: {
    code: "NOT_FOUND",
    when: "no such service is registered for the caller, whether or not it is for others",
  },
  AGENT_NOT_FOUND: {
    code: "NOT_FOUND",
    when: "credentials have never named this agent; a hub without credentials does not ask",
  },
  MESSAGE_ID_REUSED: {
    code: "ALREADY_EXISTS",
    when: "the sender stored another message under this message_id",
  },
  IDEMPOTENCY_KEY_REUSED: {
    code: "ALREADY_EXISTS",
    when: "the consumer stored another request under this idempotency_key",
  },
  SERVICE_TAKEN: { code: "ALREADY_EXISTS", when: "another agent has registered this service" },
  SENDER_MISMATCH: {
    code: "PERMISSION_DENIED",
    when: "a field that names the speaker names another agent",
  },
  NOT_PROVIDER: { code: "PERMISSION_DENIED", when: "only the provider may do this" },
  DIRECT_CHATS_DISABLED: {
    code: "PERMISSION_DENIED",
    when: "chats without a service are switched off in this hub",
  },
  NOT_ADMIN: { code: "PERMISSION_DENIED", when: "only admins may list the channels of others" },
  MISSING_AGENT_ID: {
    code: "UNAUTHENTICATED",
    when: "the call metadata claw-agent-id is missing; it ends the call",
  },
  MISSING_CREDENTIALS: {
    code: "UNAUTHENTICATED",
    when: "the hub asks for credentials, and the call has none",
  },
  BAD_CREDENTIALS: {
    code: "UNAUTHENTICATED",
    when: "the key or token is malformed, unknown, wrong or cannot be verified",
  },
  CREDENTIALS_EXPIRED: {
    code: "UNAUTHENTICATED",
    when: "the key or token is right, but has expired; it also ends a session, shortly before",
  },
  CREDENTIALS_REVOKED: {
    code: "UNAUTHENTICATED",
    when: "the key is right, but was revoked; it also ends a session",
  },
  AGENT_NOT_ALLOWED: {
    code: "PERMISSION_DENIED",
    when: "the credentials do not stand for the agent in claw-agent-id, or for any",
  },
  TOO_MANY_FAILED_LOGINS: {
    code: "RESOURCE_EXHAUSTED",
    when: "credentials were refused, as too many others from the same address in the last minute",
    retryable: true,
    retryAfterMs: 60_000,
  },
  KEY_SET_UNAVAILABLE: {
    code: "UNAVAILABLE",
    when: "the hub cannot get the keys that tokens are verified with",
    retryable: true,
    retryAfterMs: 5_000,
  },
  CHAT_NOT_ACCEPTED: { code: "FAILED_PRECONDITION", when: "the chat is not active yet" },
  CHANNEL_ENDED: { code: "FAILED_PRECONDITION", when: "the chat was ended or rejected" },
  ALREADY_ANSWERED: { code: "FAILED_PRECONDITION", when: "the request has the other answer" },
  AMBIGUOUS: {
    code: "FAILED_PRECONDITION",
    when: "the consumer has several pending requests; name the channel_id",
  },
  SUPERSEDED: {
    code: "ABORTED",
    when: "a newer receiving session of the agent took over; it ends the session",
  },
  BUSY: {
    code: "RESOURCE_EXHAUSTED",
    when: "a service that accepts by itself has max_active_chats already",
    retryable: true,
    retryAfterMs: 5_000,
  },
  TOO_MANY_PENDING: {
    code: "RESOURCE_EXHAUSTED",
    when: "the consumer has the allowed number of pending requests",
    retryable: true,
    retryAfterMs: 5_000,
  },
  TOO_MANY_CHANNELS: {
    code: "RESOURCE_EXHAUSTED",
    when: "the agent has max_channels chats that it began and that are not over, and services",
    retryable: true,
    retryAfterMs: 5_000,
  },
  TOO_MANY_SESSIONS: {
    code: "RESOURCE_EXHAUSTED",
    when: "the agent has max_sessions sessions open; it ends the call",
    retryable: true,
    retryAfterMs: 5_000,
  },
  RATE_LIMITED: {
    code: "RESOURCE_EXHAUSTED",
    when: "the agent has called more, or more bytes, than it may in a second, or has 256 plain calls under way; it ends the call",
    retryable: true,
    retryAfterMs: 1_000,
  },
  TOO_MANY_CONNECTIONS: {
    code: "RESOURCE_EXHAUSTED",
    when: "the address, or everybody together, has the allowed number of connections; it ends the call",
    retryable: true,
    retryAfterMs: 5_000,
  },
  POSITION_AHEAD: { code: "OUT_OF_RANGE", when: "an ack lies beyond the end of the channel" },
  SHUTTING_DOWN: {
    code: "UNAVAILABLE",
    when: "the hub is going away",
    retryable: true,
    retryAfterMs: 1_000,
  },
  HEARTBEAT_MISSED: {
    code: "UNAVAILABLE",
    when: "a client that had sent heartbeats was silent for too long; it ends the session",
    retryable: true,
    retryAfterMs: 1_000,
  },
  STORAGE_UNAVAILABLE: {
    code: "UNAVAILABLE",
    when: "the database could not take the entry",
    retryable: true,
    retryAfterMs: 1_000,
  },
  STORAGE_FULL: {
    code: "RESOURCE_EXHAUSTED",
    when: "the hub has no room to store anything; reading goes on",
    retryable: true,
    retryAfterMs: 5_000,
  },
  NOT_DECODED: {
    code: "INTERNAL",
    when: "the bytes of a request are no protobuf of its type; it ends the session",
  },
  INTERNAL: { code: "INTERNAL", when: "the hub has a fault; its log says more" },
} as const satisfies Record<string, RefusalKind>;

/** A stable word that names a refusal. */
export type RefusalReason = keyof typeof REFUSALS;

/** One refusal: the row of the table, and a sentence about this case. */
export interface Refusal {
  reason: RefusalReason;
  /** What was wrong, and what would be right; never contains message contents. */
  message: string;
  /** How long to wait before trying again, in milliseconds, where that is not what the table says. */
  retryAfterMs?: number;
}

/** Makes a refusal. */
export function refuse(reason: RefusalReason, message: string, retryAfterMs?: number): Refusal {
  return { reason, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** The table's row for a refusal, with the defaults filled in. */
export function refusalKind(reason: RefusalReason): {
  code: number;
  retryable: boolean;
  retryAfterMs: number | undefined;
} {
  const kind: RefusalKind = REFUSALS[reason];
  return {
    code: GRPC_STATUS[kind.code],
    retryable: kind.retryable ?? false,
    retryAfterMs: kind.retryAfterMs,
  };
}
