import { durationMsOf } from "../protocol/time.js";
import type { ChatError, ConnectRequest } from "../protocol/wire.js";
import { createBackoff } from "./backoff.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import {
  type ChatHubError,
  couldNotStore,
  errorOfRefusal,
  overtakenError,
  unknownOutcome,
} from "./errors.js";
import { createInquiries } from "./inquiries.js";
import {
  type Answer,
  earlier,
  isRepeatable,
  mayHaveChangedPlaces,
  messageIdOf,
  type Place,
  type Request,
  storedIn,
} from "./request-under-way.js";
import { checkSendable } from "./sendable.js";
import { isQuery, mayMeet, targetOf } from "./target.js";
import type { RequestFrame } from "./to-wire.js";

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
   * could then mean something else is rejected with UNKNOWN_OUTCOME instead, and what could come
   * behind its successor with OVERTAKEN.
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
 *
 * After a session that was cut the same may have happened unheard: of two messages one may have
 * been refused and the next stored. So it is asked which are stored before any is sent again.
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
  const inquiries = createInquiries(link, told);
  let waiters: (() => void)[] = [];
  let count = 0;

  function pump(): void {
    inquiries.pump();
    if (unsent.size === 0) return;
    const first = [...retrying].reduce<Request | undefined>(earlier, undefined);
    const held = first !== undefined && hasLaterUnderWay(first);
    for (const request of unsent) {
      if (!link.writable) return;
      // One that went out in an earlier session may be stored: only its answer tells.
      const waits = first !== undefined && (request.order > first.order ? !request.sent : held);
      if ((waits || inquiries.pending) && !isQuery(request.target)) continue;
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

  /** Whether a message is stored that was asked about; its caller may have given it up since. */
  function told(requestId: string, stored: boolean): void {
    const request = requests.get(requestId);
    if (request !== undefined) {
      request.doubtful = false;
      request.stored = stored;
      if (stored) overtake(request);
      else request.sent = false;
      if (!stored && request.overtaken) request.reject(overtakenError(request.refusal));
    }
    if (!inquiries.pending) pump();
  }

  /** This one is stored, or may be: the earlier ones of its channel must not follow it now. */
  function overtake({ order, target }: Place): void {
    const stopped: Request[] = [];
    for (const request of requests.values()) {
      if (request.order >= order) break;
      if (!mayMeet(request.target, target)) continue;
      request.overtaken = true;
      if (!request.sent && mustStop(request)) stopped.push(request);
    }
    // None goes out when another one is settled.
    for (const request of stopped) unsent.delete(request);
    for (const request of stopped) request.reject(overtakenError(request.refusal));
  }

  /** It is not sent again, unless it is stored: where only the hub knows that, it is asked. */
  function mustStop(request: Request): boolean {
    return !request.stored && !(request.doubtful && ask(request));
  }

  function ask(request: Request): boolean {
    const messageId = messageIdOf(request);
    if (messageId !== undefined) inquiries.ask(request.wire.requestId, messageId);
    return messageId !== undefined;
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
          doubtful: false,
          stored: false,
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
      if (inquiries.refused(requestId, error)) return;
      const request = requests.get(requestId);
      if (request === undefined) {
        forgetGivenUp(requestId);
        return;
      }
      if (couldNotStore(error)) {
        retryLater(request, error);
        if (request.overtaken && mustStop(request)) request.reject(overtakenError(error));
        return;
      }
      forget(request);
      request.reject(errorOfRefusal(error));
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
      inquiries.clear();
      for (const request of unsent) if (request.sent) request.doubtful = true;
      mayHaveChangedPlaces([...unsent]).forEach(ask);
      pump();
    },
    pump,
    failAll(error) {
      unsent.clear();
      inquiries.clear();
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
