import { status } from "@grpc/grpc-js";
import { durationMsOf } from "../protocol/time.js";
import type { ChatError, ChatHistoryPage, ConnectRequest, Receipt } from "../protocol/wire.js";
import { type Backoff, createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type ChatHubError, errorOfRefusal, overtakenError, unknownOutcome } from "./errors.js";
import { checkSendable } from "./sendable.js";
import { isQuery, mayMeet, type Target, targetOf } from "./target.js";
import type { RequestFrame } from "./to-wire.js";

/** What answers a request. */
export type Answer =
  | { kind: "receipt"; receipt: Receipt }
  | { kind: "page"; page: ChatHistoryPage };

/** What a frame may overtake, and be overtaken by. */
interface Place {
  order: number;
  target: Target;
}

interface Request extends Place {
  wire: ConnectRequest;
  /** The hub may have stored it: it was sent, and not refused since. */
  sent: boolean;
  backoff: Backoff;
  timer: NodeJS.Timeout | undefined;
  /** Why the hub could not take it, the last time. */
  refusal: ChatError | undefined;
  /** A later one of its channel is stored, or may be: where it is refused, it stays so. */
  overtaken: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** Requests without an answer yet. */
export interface Outstanding {
  /**
   * Sends a frame as soon as that is possible, and again until it is answered.
   * @returns rejects at once where the frame cannot be sent; see checkSendable
   */
  call(frame: RequestFrame, bounds: CallBounds): Promise<Answer>;
  answered(requestId: string, answer: Answer): void;
  refused(requestId: string, error: ChatError): void;
  /**
   * A new session: all that has no answer goes out again, in the first order (M4, M2). What
   * could then mean something else is rejected with UNKNOWN_OUTCOME instead.
   */
  resend(): void;
  /** Sends what waits, as far as the link takes it. */
  pump(): void;
  /** Gives every request up. */
  failAll(error: ChatHubError): void;
  /** Resolves when nothing is outstanding. */
  idle(): Promise<void>;
}

/**
 * Frames go out in the order of the calls. One that the hub could not store just now is sent
 * again until its bounds, and no later entry goes out before it is stored, whichever channel it
 * is for: addressing by agent and by channel may mean the same one (M4). Where a later one was
 * under way already and is stored, the earlier would change places with it: then it is not sent
 * again, and its refusal is the caller's to judge, as are all others. One that its caller gave
 * up under way counts like any other until it is answered; after the session it may be stored.
 */
export function createOutstanding(link: {
  readonly writable: boolean;
  send(request: ConnectRequest): void;
}): Outstanding {
  const requests = new Map<string, Request>();
  let unsent = new Set<Request>();
  const retrying = new Set<Request>();
  /** Sent in this session, not answered, and no longer waited for; by request id. */
  const givenUp = new Map<string, Place>();
  let waiters: (() => void)[] = [];
  let count = 0;

  function pump(): void {
    if (unsent.size === 0) return;
    const first = [...retrying].reduce<Request | undefined>(earlier, undefined);
    const held = first !== undefined && hasLaterUnderWay(first);
    for (const request of unsent) {
      if (!link.writable) return;
      // One that went out in an earlier session may be stored: only its answer tells.
      const waits = first !== undefined && (request.order > first.order ? !request.sent : held);
      if (waits && !isQuery(request.target)) continue;
      unsent.delete(request);
      request.sent = true;
      link.send(request.wire);
    }
  }

  /** Until those are answered it is not known whether they overtake it. */
  function hasLaterUnderWay({ order }: Request): boolean {
    const underWay = [...requests.values()].filter(({ sent, target }) => sent && !isQuery(target));
    return [...underWay, ...givenUp.values()].some((place) => place.order > order);
  }

  function retryLater(request: Request, error: ChatError): void {
    const delayMs = Math.max(durationMsOf(error.retryAfter) ?? 0, request.backoff.nextDelayMs());
    request.sent = false;
    request.refusal = error;
    retrying.add(request);
    request.timer = setTimeout(() => sendAgain([request]), delayMs);
    pump();
  }

  function sendAgain(again: Iterable<Request>): void {
    unsent = new Set([...unsent, ...again].sort((one, other) => one.order - other.order));
    pump();
  }

  /** The hub stores again: what it could not take goes out without waiting any longer. */
  function recovered(): void {
    const again = [...retrying].filter((request) => !request.sent);
    retrying.clear();
    for (const { timer } of again) clearTimeout(timer);
    sendAgain(again);
  }

  /** This one is stored, or may be: the earlier ones of its channel must not follow it now. */
  function overtake({ order, target }: Place): void {
    for (const request of requests.values()) {
      if (request.order >= order) return;
      if (!mayMeet(request.target, target)) continue;
      request.overtaken = true;
      const { sent, refusal } = request;
      if (!sent && refusal !== undefined) request.reject(overtakenError(refusal));
    }
  }

  /** Harmless where it is settled already. */
  function giveUp(request: Request): void {
    const { requestId } = request.wire;
    const { order, target } = request;
    if (!requests.has(requestId)) return;
    const sent = request.sent && !isQuery(target);
    // Sent in an earlier session only, so no answer will tell.
    if (sent && unsent.has(request)) overtake(request);
    else if (sent) givenUp.set(requestId, { order, target });
    forget(request);
  }

  function forget(request: Request): void {
    clearTimeout(request.timer);
    requests.delete(request.wire.requestId);
    unsent.delete(request);
    if (retrying.delete(request) || retrying.size > 0) pump();
    if (requests.size > 0) return;
    for (const wake of waiters) wake();
    waiters = [];
  }

  function forgetGivenUp(requestId: string): void {
    if (givenUp.delete(requestId)) pump();
  }

  return {
    async call(frame, bounds) {
      count += 1;
      const order = count;
      const requestId = String(order);
      const wire = { requestId, acks: [], heartbeat: false, setAside: [], frame };
      checkSendable(wire);
      let request: Request | undefined;
      const trouble = () =>
        request?.refusal && `${request.refusal.reason}: ${request.refusal.message}`;
      return withinBounds<Answer>({ ...bounds, trouble }, (resolve, reject) => {
        const begun: Request = {
          order,
          target: targetOf(frame),
          wire,
          sent: false,
          backoff: createBackoff({ initialMs: 100, maxMs: 5_000 }),
          timer: undefined,
          refusal: undefined,
          overtaken: false,
          resolve,
          reject,
        };
        request = begun;
        requests.set(requestId, begun);
        unsent.add(begun);
        pump();
        return () => giveUp(begun);
      });
    },
    answered(requestId, answer) {
      const request = requests.get(requestId);
      const place = request ?? givenUp.get(requestId);
      if (place !== undefined && answer.kind === "receipt")
        overtake(storedIn(place, answer.receipt));
      if (request === undefined) {
        forgetGivenUp(requestId);
        return;
      }
      if (answer.kind === "receipt" && retrying.delete(request)) recovered();
      forget(request);
      request.resolve(answer);
    },
    refused(requestId, error) {
      const request = requests.get(requestId);
      if (request === undefined) {
        forgetGivenUp(requestId);
        return;
      }
      if (couldNotStore(error) && !request.overtaken) {
        retryLater(request, error);
        return;
      }
      forget(request);
      request.reject(couldNotStore(error) ? overtakenError(error) : errorOfRefusal(error));
    },
    resend() {
      unsent.clear();
      for (const request of [...requests.values()]) {
        if (request.sent && !isRepeatable(request)) request.reject(unknownOutcome());
      }
      for (const place of givenUp.values()) overtake(place);
      givenUp.clear();
      for (const request of [...retrying]) {
        // Whether a later one was stored in the session before, only its repeat tells.
        if (request.sent || !hasLaterUnderWay(request)) retrying.delete(request);
      }
      unsent = new Set(requests.values());
      for (const request of unsent) clearTimeout(request.timer);
      pump();
    },
    pump,
    failAll(error) {
      unsent.clear();
      for (const request of [...requests.values()]) request.reject(error);
      givenUp.clear();
    },
    idle() {
      return requests.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => waiters.push(resolve));
    },
  };
}

/**
 * Means the same when it is sent again. An answer that names its request by the consumer alone
 * does not: the first may be stored, and another request of that consumer be pending now (C3).
 */
function isRepeatable({ wire: { frame } }: Request): boolean {
  if (frame?.$case !== "chatAccept" && frame?.$case !== "chatReject") return true;
  return frame.value.channelId !== "";
}

/** The hub can store nothing just now, whatever it is. */
function couldNotStore({ retryable, code, reason }: ChatError): boolean {
  return retryable && (code === status.UNAVAILABLE || reason === "STORAGE_FULL");
}

/** Of a frame that is stored the channel is known. */
function storedIn({ order, target }: Place, { channelId }: Receipt): Place {
  return { order, target: { ...target, channelId } };
}

function earlier(one: Request | undefined, other: Request): Request {
  return one !== undefined && one.order < other.order ? one : other;
}
