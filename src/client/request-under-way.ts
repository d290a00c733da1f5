import type { ChatError, ChatHistoryPage, ConnectRequest, Receipt } from "../protocol/wire.js";
import type { Backoff } from "./backoff.js";
import { isQuery, mayMeet, type Target } from "./target.js";

/** What answers a request. */
export type Answer =
  | { kind: "receipt"; receipt: Receipt }
  | { kind: "page"; page: ChatHistoryPage };

/** What a frame may overtake, and be overtaken by. */
export interface Place {
  order: number;
  target: Target;
}

/** A frame that somebody waits for the answer of. */
export interface Request extends Place {
  wire: ConnectRequest;
  /** The hub may have stored it: it was sent, and not refused since. */
  sent: boolean;
  /** Sent in an earlier session too, which ended before its answer: a refusal for now leaves that open. */
  doubtful: boolean;
  /** The hub has said that it is stored; its receipt is still to come. */
  stored: boolean;
  backoff: Backoff;
  timer: NodeJS.Timeout | undefined;
  /** Why the hub could not take it, the last time. */
  refusal: ChatError | undefined;
  /** A later one of its channel is stored, or may be: where it is refused, it stays so. */
  overtaken: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Means the same when it is sent again. An answer that names its request by the consumer alone
 * does not: the first may be stored, and another request of that consumer be pending now (C3).
 */
export function isRepeatable({ wire: { frame } }: Request): boolean {
  if (frame?.$case !== "chatAccept" && frame?.$case !== "chatReject") return true;
  return frame.value.channelId !== "";
}

/** Of a frame that is stored the channel is known. */
export function storedIn({ order, target }: Place, { channelId }: Receipt): Place {
  return { order, target: { ...target, channelId } };
}

export function earlier(one: Request | undefined, other: Request): Request {
  return one !== undefined && one.order < other.order ? one : other;
}

/** What the hub can be asked about; undefined where it is no message. */
export function messageIdOf({ wire: { frame } }: Request): string | undefined {
  return frame?.$case === "chatMessage" ? frame.value.messageId : undefined;
}

/**
 * Of the requests when a session was cut, those that may have changed places there, unheard, with
 * others of their channel: one was refused, and a later one stored.
 */
export function mayHaveChangedPlaces(requests: readonly Request[]): Request[] {
  const mayBeStored = ({ sent, doubtful }: Request) => sent || doubtful;
  return requests.filter((request) => {
    const { order, overtaken, target } = request;
    // With an earlier one that is not stored, or with any that may be.
    const meets = (other: Request) =>
      other !== request &&
      (mayBeStored(other) || other.order < order) &&
      !isQuery(other.target) &&
      mayMeet(other.target, target);
    return mayBeStored(request) && (overtaken || requests.some(meets));
  });
}
