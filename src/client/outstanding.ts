import { status } from "@grpc/grpc-js";
import { durationMsOf } from "../protocol/time.js";
import type { ChatError, ChatHistoryPage, ConnectRequest, Receipt } from "../protocol/wire.js";
import { type Backoff, createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type ChatHubError, errorOfRefusal, unknownOutcome } from "./errors.js";
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
 * Frames go out in the order of the calls. One that the hub could not take just now
 * (UNAVAILABLE and retryable) is sent again until its bounds, and no later entry goes out
 * before it, whichever channel it is for: addressing by agent and by channel may mean the same
 * one (M4). Other refusals are the caller's to judge.
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
    const firstRetrying = Math.min(...[...retrying].map((request) => request.order));
    for (const request of unsent) {
      if (!link.writable) return;
      if (request.order > firstRetrying && !isQuery(request)) continue;
      unsent.delete(request);
      request.sent = true;
      link.send(request.wire);
    }
  }

  function retryLater(request: Request, error: ChatError): void {
    const delayMs = Math.max(durationMsOf(error.retryAfter) ?? 0, request.backoff.nextDelayMs());
    request.sent = false;
    retrying.add(request);
    request.timer = setTimeout(() => {
      retrying.delete(request);
      unsent = new Set([...unsent, request].sort((one, other) => one.order - other.order));
      pump();
    }, delayMs);
  }

  function forget(requestId: string): void {
    const request = requests.get(requestId);
    if (request === undefined) return;
    clearTimeout(request.timer);
    requests.delete(requestId);
    unsent.delete(request);
    if (retrying.delete(request)) pump();
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
      return withinBounds<Answer>(bounds, (resolve, reject) => {
        const request: Request = {
          order,
          wire,
          sent: false,
          backoff: createBackoff({ initialMs: 100, maxMs: 5_000 }),
          timer: undefined,
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
      requests.get(requestId)?.resolve(answer);
    },
    refused(requestId, error) {
      const request = requests.get(requestId);
      if (request === undefined) return;
      if (error.retryable && error.code === status.UNAVAILABLE) retryLater(request, error);
      else request.reject(errorOfRefusal(error));
    },
    resend() {
      retrying.clear();
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

/** Asks only, so it may overtake and be overtaken. */
function isQuery(request: Request): boolean {
  return request.wire.frame?.$case === "chatHistory";
}
