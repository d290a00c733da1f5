import { status } from "@grpc/grpc-js";
import { durationMsOf } from "../protocol/time.js";
import type { ChatError, ChatHistoryPage, ConnectRequest, Receipt } from "../protocol/wire.js";
import { type Backoff, createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type ChatHubError, errorOfRefusal, overtakenError, unknownOutcome } from "./errors.js";
import { checkSendable } from "./sendable.js";
import type { RequestFrame } from "./to-wire.js";

/** What answers a request. */
export type Answer =
  | { kind: "receipt"; receipt: Receipt }
  | { kind: "page"; page: ChatHistoryPage };

interface Request {
  order: number;
  wire: ConnectRequest;
  /** The hub may have stored it: it was sent, and not refused since. */
  sent: boolean;
  backoff: Backoff;
  timer: NodeJS.Timeout | undefined;
  /** Why the hub could not take it, the last time. */
  refusal: ChatError | undefined;
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
 * again, and its refusal is the caller's to judge, as are all others.
 */
export function createOutstanding(link: {
  readonly writable: boolean;
  send(request: ConnectRequest): void;
}): Outstanding {
  const requests = new Map<string, Request>();
  let unsent = new Set<Request>();
  const retrying = new Set<Request>();
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
      if (waits && !isQuery(request)) continue;
      unsent.delete(request);
      request.sent = true;
      link.send(request.wire);
    }
  }

  /** Until those are answered it is not known whether they overtake it. */
  function hasLaterUnderWay({ order }: Request): boolean {
    return [...requests.values()].some(
      (request) => request.sent && request.order > order && !isQuery(request),
    );
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

  function stored(request: Request, { channelId }: Receipt): void {
    // The earlier ones about the same channel must not follow it now.
    for (const { order, wire, refusal, reject } of [...retrying]) {
      if (refusal === undefined || order >= request.order) continue;
      if (mayMean(wire.frame, channelId, request.wire.frame)) reject(overtakenError(refusal));
    }
    if (retrying.delete(request)) recovered();
  }

  function forget(requestId: string): void {
    const request = requests.get(requestId);
    if (request === undefined) return;
    clearTimeout(request.timer);
    requests.delete(requestId);
    unsent.delete(request);
    if (retrying.delete(request) || retrying.size > 0) pump();
    if (requests.size > 0) return;
    for (const wake of waiters) wake();
    waiters = [];
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
        request = {
          order,
          wire,
          sent: false,
          backoff: createBackoff({ initialMs: 100, maxMs: 5_000 }),
          timer: undefined,
          refusal: undefined,
          resolve,
          reject,
        };
        requests.set(requestId, request);
        unsent.add(request);
        pump();
        return () => forget(requestId);
      });
    },
    answered(requestId, answer) {
      const request = requests.get(requestId);
      if (request === undefined) return;
      if (answer.kind === "receipt") stored(request, answer.receipt);
      request.resolve(answer);
    },
    refused(requestId, error) {
      const request = requests.get(requestId);
      if (request === undefined) return;
      if (couldNotStore(error)) retryLater(request, error);
      else request.reject(errorOfRefusal(error));
    },
    resend() {
      for (const request of [...retrying]) {
        // Whether a later one was stored in the session before, only its repeat tells.
        if (request.sent || !hasLaterUnderWay(request)) retrying.delete(request);
      }
      for (const request of [...requests.values()]) {
        if (request.sent && !isRepeatable(request)) request.reject(unknownOutcome());
      }
      unsent = new Set(requests.values());
      for (const request of unsent) clearTimeout(request.timer);
      pump();
    },
    pump,
    failAll(error) {
      for (const request of [...requests.values()]) request.reject(error);
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

function earlier(one: Request | undefined, other: Request): Request {
  return one !== undefined && one.order < other.order ? one : other;
}

type Frame = ConnectRequest["frame"];

/** A frame may be about this channel, in which another one was stored. */
function mayMean(frame: Frame, channelId: string, other: Frame): boolean {
  // A request for a chat begins a channel of its own.
  if (frame === undefined || frame.$case === "chatRequest" || other?.$case === "chatRequest") {
    return false;
  }
  if (frame.value.channelId !== "") return frame.value.channelId === channelId;
  if (frame.$case !== "chatMessage" || other?.$case !== "chatMessage") return true;
  const [agent, otherAgent] = [frame.value.targetAgent, other.value.targetAgent];
  return agent === otherAgent || agent === "" || otherAgent === "";
}

/** Asks only, so it may overtake and be overtaken. */
function isQuery(request: Request): boolean {
  return request.wire.frame?.$case === "chatHistory";
}
