import { channelsNotFound, checkPositions, movePositions, moveWhereAllowed } from "../hub/ack.js";
import type { Answer } from "../hub/answer.js";
import { refused } from "../hub/answer.js";
import type { Context } from "../hub/context.js";
import type { Caller } from "../hub/credentials.js";
import { noteFalseName } from "../hub/deny.js";
import { handleFrame } from "../hub/frame.js";
import type { RequestFrame } from "../protocol/frame-rules.js";
import type { HubLimits } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { durationOf } from "../protocol/time.js";
import type { ChannelPosition } from "../protocol/wire.js";
import { statusOf } from "./call-identity.js";
import { createHeartbeatWatch } from "./heartbeat-watch.js";
import { createOutbox, type Outbox } from "./outbox.js";
import type { Rates } from "./rate.js";
import { type CheckedRequest, readRequest } from "./request-rules.js";
import { chatErrorOf, encodeFrame, encodePage } from "./responses.js";
import type { SessionStream } from "./session-stream.js";
import { createSlowdown } from "./slowdown.js";
import type { Turns } from "./turns.js";

/** Requests of one session that may wait for their answer before the stream is not read on. */
const MAX_UNANSWERED = 256;
/** A history page may be as large as an outbox, so only one is made at a time (D4). */
const PAGE_WEIGHT = MAX_UNANSWERED;

/** How long a client may take its last answers after the session is over. */
const LAST_ANSWERS_MS = 30_000;

/** An answer; beside refused acks, `gone` are those of their channels that are not there. */
type Outcome = (Answer & { gone?: string[] }) | undefined;

/** One authenticated Connect stream: takes requests, answers each once, in their order (M5). */
export interface Session {
  readonly outbox: Outbox;
  /** Sends the first response, unless it was sent before. */
  greet(backlog: number): void;
  isGreeted(): boolean;
  /** A request came in, as it was encoded. */
  receive(bytes: Uint8Array): void;
  /** The client has half-closed: what was read is answered, then the stream ends with OK (L1). */
  halfClosed(): void;
  /** Says why, answers what was read where it still may, and ends the stream (I4, L2). */
  goAway(word: Refusal, reconnectAfterMs?: number): void;
  /** Moves positions of this session's agent, as if it had sent acks. */
  acknowledge(acks: ChannelPosition[]): void;
  /** A transaction was told to its end. */
  settle(): void;
  /** The stream is gone. */
  close(): void;
}

/** @param of.stopFeed called when the session starts no further delivery */
export function createSession(of: {
  caller: Caller;
  stream: SessionStream;
  turns: Turns;
  rates: Rates;
  maxMessageBytes: number;
  limits: HubLimits;
  heartbeatIntervalMs: number;
  /** SessionStarted as encoded, with the entries about to be replayed, at most. */
  greeting: (backlog: number) => Uint8Array;
  stopFeed: () => void;
  /** Called when there is room in the outbox again. */
  resumeFeed: () => void;
  /** Called with what was acked or set aside: it no longer counts as unacked (D5). */
  release: (positions: ChannelPosition[]) => void;
  /** Called with channels of which nothing can be acked any more. */
  forget: (channelIds: string[]) => void;
  /** Called when the client has sent heartbeats and is silent now (L3). */
  silent: () => void;
  /** Called when `settle` has to be called at the end of the transaction. */
  receiptsWaiting: (session: Session) => void;
}): Session {
  const { caller, stream, turns } = of;
  const { agentId, address } = caller;
  const outbox = createOutbox(stream, drained, regulate);
  const slowdown = createSlowdown({ rates: of.rates, agentId, over: regulate });
  const watch = createHeartbeatWatch({ intervalMs: of.heartbeatIntervalMs, missed: of.silent });
  /** open: takes requests. leaving: only answers. ended: sends nothing new. closed: is gone. */
  let state: "open" | "leaving" | "ended" | "closed" = "open";
  let farewell: Refusal | undefined;
  let greeted = false;
  let unanswered = 0;
  let paused = false;
  let lastTimer: NodeJS.Timeout | undefined;

  function receive(bytes: Uint8Array): void {
    if (state !== "open") return;
    slowdown.count(bytes.length);
    let request: CheckedRequest;
    try {
      request = readRequest(bytes, agentId, of.maxMessageBytes, of.limits);
    } catch {
      leave(NOT_DECODED);
      return;
    }
    const { requestId, refusal, acks, heartbeat, setAside, frame } = request;
    watch.heard(heartbeat);
    const weight = frame?.$case === "chatHistory" ? PAGE_WEIGHT : 1;
    unanswered += weight;
    outbox.owe();
    turns.submit<Outcome>({
      weight,
      address,
      // Acks are answered only where they are refused, and may be stored later (D2).
      canWait: frame === undefined && !heartbeat && refusal === undefined,
      run: (context) => (refusal ? refuseUnread(context, refusal) : handle(context, acks, frame)),
      done(answer) {
        outbox.paid();
        if (answer?.kind !== "refusal") release(acks, setAside);
        else if (answer.gone !== undefined) of.forget(answer.gone);
        if (answer !== undefined) send(answer, requestId);
        else if (heartbeat) respond(undefined, requestId);
        answered(weight);
      },
      failed(failure) {
        outbox.paid();
        send(refused(failure), requestId);
        answered(weight);
      },
    });
    regulate();
  }

  async function refuseUnread(context: Context, refusal: Refusal): Promise<Answer> {
    noteFalseName(context, agentId, refusal);
    return refused(refusal);
  }

  async function handle(
    context: Context,
    acks: ChannelPosition[],
    frame: RequestFrame | undefined,
  ): Promise<Outcome> {
    // A request is done as a whole or not at all (M5): its acks are checked before the frame is
    // handled, and moved only where that was not refused.
    if (acks.length === 0) return frame && handleFrame(context, caller, frame);
    const refusal = await checkPositions(context, agentId, acks);
    if (refusal !== undefined) {
      return { ...refused(refusal), gone: await channelsNotFound(context, agentId, acks) };
    }
    const answer = frame && (await handleFrame(context, caller, frame));
    if (answer?.kind !== "refusal") await movePositions(context, agentId, acks);
    return answer;
  }

  function release(...positions: ChannelPosition[][]): void {
    for (const some of positions) if (some.length > 0) of.release(some);
  }

  function send(answer: Answer, requestId: string): void {
    if (isOver()) return;
    switch (answer.kind) {
      case "receipt":
        outbox.pushReceipt({ ...answer.receipt, requestId });
        of.receiptsWaiting(session);
        return;
      case "page":
        outbox.push(encodePage(answer.page, requestId));
        return;
      case "refusal":
        respond({ $case: "error", value: chatErrorOf(answer.refusal) }, requestId);
        return;
      default:
        answer satisfies never;
    }
  }

  function respond(frame: Parameters<typeof encodeFrame>[0], requestId: string): void {
    if (!isOver()) outbox.push(encodeFrame(frame, requestId));
  }

  function isOver(): boolean {
    return state === "ended" || state === "closed";
  }

  function answered(weight: number): void {
    unanswered -= weight;
    regulate();
    if (state === "leaving" && unanswered === 0) finish();
  }

  /** Reads on only while answers get away, and no faster than the agent may send (D4, M8). */
  function regulate(): void {
    const full = unanswered >= MAX_UNANSWERED || outbox.room().items === 0 || slowdown.isOn();
    if (full === paused || state !== "open") return;
    paused = full;
    if (full) {
      stream.pause();
      watch.pause();
    } else {
      stream.resume();
      watch.resume();
    }
  }

  function greet(backlog: number): void {
    if (greeted) return;
    greeted = true;
    outbox.paid();
    outbox.push(of.greeting(backlog));
  }

  function drained(): void {
    regulate();
    of.resumeFeed();
  }

  function leave(reason: Refusal | undefined): void {
    greet(0);
    state = "leaving";
    farewell = reason;
    watch.stop();
    slowdown.stop();
    of.stopFeed();
    if (unanswered === 0) finish();
  }

  function finish(): void {
    outbox.settle();
    state = "ended";
    if (farewell === undefined) stream.end();
    else stream.endWith(statusOf(farewell));
    // A client that does not read its last answers does not keep them in memory for ever.
    lastTimer = setTimeout(() => stream.destroy(), LAST_ANSWERS_MS).unref();
  }

  // The greeting.
  outbox.owe();
  const session: Session = {
    outbox,
    greet,
    isGreeted: () => greeted,
    receive,
    halfClosed() {
      if (state === "open") leave(undefined);
    },
    goAway(word, reconnectAfterMs) {
      if (farewell !== undefined || state === "closed") return;
      if (state === "ended") {
        // It half-closed and has yet to take its last answers. It is told all the same: with OK
        // it would come back, and supersede the session that superseded it (I4).
        farewell = word;
        stream.endWith(statusOf(word));
        return;
      }
      greet(0);
      const reconnect = reconnectAfterMs !== undefined;
      const reconnectAfter = reconnect ? durationOf(reconnectAfterMs) : undefined;
      respond(
        {
          $case: "goAway",
          value: { reason: word.reason, message: word.message, reconnect, reconnectAfter },
        },
        "",
      );
      if (state === "open") leave(word);
      else farewell = word;
    },
    acknowledge(acks) {
      // Once sent away, a session moves no position any more (I4).
      if (farewell !== undefined) return;
      turns.submit({
        canWait: true,
        run: (context) => moveWhereAllowed(context, agentId, acks),
        done: () => {},
        // A position that could not be stored stays behind: the entry is delivered again (D3).
        failed: () => {},
      });
    },
    settle: () => outbox.settle(),
    close() {
      clearTimeout(lastTimer);
      watch.stop();
      slowdown.stop();
      state = "closed";
      of.stopFeed();
    },
  };
  return session;
}

/** The one fault of a request that ends its session (M5). */
const NOT_DECODED = refuse("NOT_DECODED", "the request is no ConnectRequest; check the stubs");
/** What a superseded session is told (I4). */
export const SUPERSEDED = refuse(
  "SUPERSEDED",
  "a newer session of this agent receives now; do not come back",
);
/** What a session is told whose client has gone silent (L3). */
export const HEARTBEAT_MISSED = refuse(
  "HEARTBEAT_MISSED",
  "nothing was heard of this session for too long; connect again",
);
/** What every session is told when the hub stops (L2). */
export const SHUTTING_DOWN = refuse("SHUTTING_DOWN", "the hub is going away; connect again");
