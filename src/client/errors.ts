import { type Metadata, status } from "@grpc/grpc-js";
import { REASON_KEY, RETRY_AFTER_KEY } from "../protocol/call-metadata.js";
import { REFUSALS, type RefusalReason, refusalKind } from "../protocol/refusals.js";
import { durationMsOf } from "../protocol/time.js";
import type { ChatError } from "../protocol/wire.js";

/**
 * A call that did not succeed: refused by the hub, or given up by the client.
 *
 * The client's own reasons: TIMEOUT (code 4), ABORTED_BY_CALLER (1), CLOSED (9),
 * SUPERSEDED, STORE_CHANGED and OVERTAKEN (10), BAD_URL, BAD_OPTION, INVALID_ID and MESSAGE_TOO_LARGE
 * (3), WRONG_MODE and ALREADY_LISTENING (9), UNKNOWN_OUTCOME (14). After TIMEOUT and
 * ABORTED_BY_CALLER it is not known whether the hub stored the frame; sending it again under
 * the same key is safe (M2, C2). After UNKNOWN_OUTCOME it is not known either, and not safe.
 * After OVERTAKEN it is known that the hub did not store it.
 */
export class ChatHubError extends Error {
  override readonly name = "ChatHubError";
  /** A gRPC status code, such as 5 for NOT_FOUND. */
  readonly code: number;
  /** A stable word, such as CHANNEL_NOT_FOUND. */
  readonly reason: string;
  /** The same again later may succeed. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds; undefined where the hub did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(of: {
    code: number;
    reason: string;
    message: string;
    retryable?: boolean;
    retryAfterMs?: number | undefined;
    cause?: unknown;
  }) {
    super(of.message, of.cause === undefined ? undefined : { cause: of.cause });
    this.code = of.code;
    this.reason = of.reason;
    this.retryable = of.retryable ?? false;
    this.retryAfterMs = of.retryAfterMs;
  }
}

/** A refusal given within a session. */
export function errorOfRefusal(error: ChatError): ChatHubError {
  const { code, reason, message, retryable } = error;
  return new ChatHubError({
    code,
    reason,
    message,
    retryable,
    retryAfterMs: durationMsOf(error.retryAfter),
  });
}

/** How a call ended that was not OK; `reason` is the hub's word, or else the name of the code. */
export function errorOfStatus(end: {
  code: number;
  details: string;
  metadata?: Metadata;
}): ChatHubError {
  const { code, details } = end;
  const reason = reasonOf(end.metadata) ?? status[code] ?? "UNKNOWN";
  const known = isRefusalReason(reason) ? refusalKind(reason) : undefined;
  return new ChatHubError({
    code,
    reason,
    message: details,
    retryable: known?.retryable ?? code === status.UNAVAILABLE,
    retryAfterMs: retryAfterMsOf(end.metadata) ?? known?.retryAfterMs,
  });
}

/** The hub's stable word in the trailers of a call; undefined where there is none. */
export function reasonOf(metadata: Metadata | undefined): string | undefined {
  const word = metadata?.get(REASON_KEY)[0];
  return typeof word === "string" && word !== "" ? word : undefined;
}

function retryAfterMsOf(metadata: Metadata | undefined): number | undefined {
  const text = metadata?.get(RETRY_AFTER_KEY)[0];
  return typeof text === "string" && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}

function isRefusalReason(reason: string): reason is RefusalReason {
  return Object.hasOwn(REFUSALS, reason);
}

/** The client cannot take the call: it is not connected, or not any more. */
export function closedError(message: string): ChatHubError {
  return new ChatHubError({ code: status.FAILED_PRECONDITION, reason: "CLOSED", message });
}

/** The function that gives the API key threw, or gave none. */
export function noApiKey(cause: unknown): ChatHubError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  const message = `there is no API key at the moment: ${detail}`;
  const reason = "API_KEY_UNAVAILABLE";
  return new ChatHubError({ code: status.UNAVAILABLE, reason, message, retryable: true, cause });
}

/** An accept or reject whose receipt was lost, and which names no channel (C3). */
export function unknownOutcome(): ChatHubError {
  return new ChatHubError({
    code: status.UNAVAILABLE,
    reason: "UNKNOWN_OUTCOME",
    message:
      "the connection was lost before the receipt, so it is not known whether the answer was stored, and by consumerId alone it could now mean another request: look at the channel, or name the channelId",
  });
}

/** The hub can store nothing just now, whatever it is. */
export function couldNotStore({ retryable, code, reason }: ChatError): boolean {
  return retryable && (code === status.UNAVAILABLE || reason === "STORAGE_FULL");
}

/**
 * A frame that is not stored, and could be sent again only behind one that came after it (M4).
 * @param refusal why it is not stored, where that was heard
 */
export function overtakenError(refusal: ChatError | undefined): ChatHubError {
  const { code, reason, message, retryable, retryAfter } = refusal ?? NOT_STORED;
  const why =
    "it was not sent again, because what was sent after it in the same chat is stored already, or may be";
  return errorOfRefusal({ code, reason, message: `${message}; ${why}`, retryable, retryAfter });
}

const NOT_STORED: ChatError = {
  code: status.ABORTED,
  reason: "OVERTAKEN",
  message: "the connection was lost before the answer, and the hub has not stored this",
  retryable: true,
  retryAfter: undefined,
};

/** An argument the client itself cannot work with. */
export function argumentError(reason: string, message: string): ChatHubError {
  return new ChatHubError({ code: status.INVALID_ARGUMENT, reason, message });
}

/** The hub answered with something else than was asked for: it has a fault. */
export function unexpectedAnswer(what: string): ChatHubError {
  return new ChatHubError({
    code: status.INTERNAL,
    reason: "UNEXPECTED_ANSWER",
    message: `the hub's answer to ${what} is not one that this client understands`,
  });
}
