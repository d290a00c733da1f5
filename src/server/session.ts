import { channelsNotFound, checkPositions, movePositions, moveWhereAllowed } from "../hub/ack.js";
import type { Answer } from "../hub/answer.js";
import { refused } from "../hub/answer.js";
import type { Context } from "../hub/context.js";
import { noteFalseName } from "../hub/deny.js";
import { handleFrame } from "../hub/frame.js";
import type { RequestFrame } from "../protocol/frame-rules.js";
import type { Refusal } from "../protocol/refusals.js";
import { durationOf } from "../protocol/time.js";
import type { ChannelPosition } from "../protocol/wire.js";
import { statusOf } from "./call-identity.js";
import { NOT_DECODED } from "./farewells.js";
import { createHeartbeatWatch, type HeartbeatWatch } from "./heartbeat-watch.js";
import { createOutbox, type Outbox } from "./outbox.js";
import { type CheckedRequest, readRequest } from "./request-rules.js";
import { chatErrorOf, encodeFrame, encodePage } from "./responses.js";
import type { SessionHost } from "./session-host.js";
import { createSlowdown, type Slowdown } from "./slowdown.js";

/** Requests of one session that may wait for their answer before the stream is not read on. */
const MAX_UNANSWERED = 256;
/** A history page may be as large as an outbox, so only one is made at a time (D4). */
const PAGE_WEIGHT = MAX_UNANSWERED;
/** A request of no more bytes has few acks and a short message. */
const LIGHT_BYTES = 4096;
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

export function createSession(of: SessionHost): Session {
  return new LiveSession(of);
}

/** Sessions are many and mostly silent: so this is one object, and makes the others when it needs them. */
class LiveSession implements Session {
  readonly outbox: Outbox;
  readonly #of: SessionHost;
  /** Of a client that has sent something. */
  #slowdown: Slowdown | undefined;
  /** Of a client that sends heartbeats. */
  #watch: HeartbeatWatch | undefined;
  /** open: takes requests. leaving: only answers. ended: sends nothing new. closed: is gone. */
  #state: "open" | "leaving" | "ended" | "closed" = "open";
  #farewell: Refusal | undefined;
  #greeted = false;
  #unanswered = 0;
  #paused = false;
  #lastTimer: NodeJS.Timeout | undefined;

  constructor(of: SessionHost) {
    this.#of = of;
    const drained = () => {
      this.#regulate();
      of.resumeFeed();
    };
    this.outbox = createOutbox(of.stream, drained, () => this.#regulate());
    // The greeting.
    this.outbox.owe();
  }

  greet(backlog: number): void {
    if (this.#greeted) return;
    this.#greeted = true;
    this.outbox.paid();
    this.outbox.push(this.#of.greeting(backlog));
  }

  isGreeted(): boolean {
    return this.#greeted;
  }

  receive(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    const { agentId, address } = this.#of.caller;
    const { turns, rates, maxMessageBytes, limits } = this.#of.settings;
    this.#slowdown ??= createSlowdown({ rates, agentId, over: () => this.#regulate() });
    this.#slowdown.count(bytes.length);
    let request: CheckedRequest;
    try {
      request = readRequest(bytes, agentId, maxMessageBytes, limits);
    } catch {
      this.#leave(NOT_DECODED);
      return;
    }
    const { requestId, refusal, acks, heartbeat, setAside, frame } = request;
    this.#heard(heartbeat);
    const weight = frame?.$case === "chatHistory" ? PAGE_WEIGHT : 1;
    this.#unanswered += weight;
    this.outbox.owe();
    turns.submit<Outcome>({
      weight,
      isLight: weight === 1 && bytes.length <= LIGHT_BYTES,
      address,
      // Acks are answered only where they are refused, and may be stored later (D2).
      canWait: frame === undefined && !heartbeat && refusal === undefined,
      run: (context) =>
        refusal ? this.#refuseUnread(context, refusal) : this.#handle(context, acks, frame),
      done: (answer) => {
        this.outbox.paid();
        if (answer?.kind !== "refusal") this.#release(acks, setAside);
        else if (answer.gone !== undefined) this.#of.forget(answer.gone);
        if (answer !== undefined) this.#send(answer, requestId);
        else if (heartbeat) this.#respond(undefined, requestId);
        this.#answered(weight);
      },
      failed: (failure) => {
        this.outbox.paid();
        this.#send(refused(failure), requestId);
        this.#answered(weight);
      },
    });
    this.#regulate();
  }

  halfClosed(): void {
    if (this.#state === "open") this.#leave(undefined);
  }

  goAway(word: Refusal, reconnectAfterMs?: number): void {
    if (this.#farewell !== undefined || this.#state === "closed") return;
    if (this.#state === "ended") {
      // It half-closed and has yet to take its last answers. It is told all the same: with OK
      // it would come back, and supersede the session that superseded it (I4).
      this.#farewell = word;
      this.#of.stream.endWith(statusOf(word));
      return;
    }
    this.greet(0);
    const reconnect = reconnectAfterMs !== undefined;
    const reconnectAfter = reconnect ? durationOf(reconnectAfterMs) : undefined;
    const { reason, message } = word;
    this.#respond({ $case: "goAway", value: { reason, message, reconnect, reconnectAfter } }, "");
    if (this.#state === "open") this.#leave(word);
    else this.#farewell = word;
  }

  acknowledge(acks: ChannelPosition[]): void {
    // Once sent away, a session moves no position any more (I4).
    if (this.#farewell !== undefined) return;
    const { caller, settings } = this.#of;
    settings.turns.submit({
      canWait: true,
      run: (context) => moveWhereAllowed(context, caller.agentId, acks),
      done: () => {},
      // A position that could not be stored stays behind: the entry is delivered again (D3).
      failed: () => {},
    });
  }

  settle(): void {
    this.outbox.settle();
  }

  close(): void {
    clearTimeout(this.#lastTimer);
    this.#watch?.stop();
    this.#slowdown?.stop();
    this.#state = "closed";
    this.#of.stopFeed();
  }

  #heard(heartbeat: boolean): void {
    if (heartbeat) {
      const { settings } = this.#of;
      this.#watch ??= createHeartbeatWatch({
        intervalMs: settings.heartbeatIntervalMs,
        missed: () => this.#of.silent(),
      });
    }
    this.#watch?.heard(heartbeat);
  }

  async #refuseUnread(context: Context, refusal: Refusal): Promise<Answer> {
    noteFalseName(context, this.#of.caller.agentId, refusal);
    return refused(refusal);
  }

  #handle(
    context: Context,
    acks: ChannelPosition[],
    frame: RequestFrame | undefined,
  ): Promise<Outcome> {
    return acks.length === 0 && frame !== undefined
      ? handleFrame(context, this.#of.caller, frame)
      : this.#handleAcks(context, acks, frame);
  }

  async #handleAcks(
    context: Context,
    acks: ChannelPosition[],
    frame: RequestFrame | undefined,
  ): Promise<Outcome> {
    const { caller } = this.#of;
    const { agentId } = caller;
    // A request is done as a whole or not at all (M5): its acks are checked before the frame is
    // handled, and moved only where that was not refused.
    const refusal = await checkPositions(context, agentId, acks);
    if (refusal !== undefined) {
      return { ...refused(refusal), gone: await channelsNotFound(context, agentId, acks) };
    }
    const answer = frame && (await handleFrame(context, caller, frame));
    if (answer?.kind !== "refusal") await movePositions(context, agentId, acks);
    return answer;
  }

  #release(...positions: ChannelPosition[][]): void {
    for (const some of positions) if (some.length > 0) this.#of.release(some);
  }

  #send(answer: Answer, requestId: string): void {
    if (this.#isOver()) return;
    switch (answer.kind) {
      case "receipt":
        this.outbox.pushReceipt(requestId, answer.receipt);
        this.#of.receiptsWaiting();
        return;
      case "page":
        this.outbox.push(encodePage(answer.page, requestId));
        return;
      case "refusal":
        this.#respond({ $case: "error", value: chatErrorOf(answer.refusal) }, requestId);
        return;
      default:
        answer satisfies never;
    }
  }

  #respond(frame: Parameters<typeof encodeFrame>[0], requestId: string): void {
    if (!this.#isOver()) this.outbox.push(encodeFrame(frame, requestId));
  }

  #isOver(): boolean {
    return this.#state === "ended" || this.#state === "closed";
  }

  #answered(weight: number): void {
    this.#unanswered -= weight;
    this.#regulate();
    if (this.#state === "leaving" && this.#unanswered === 0) this.#finish();
  }

  /** Reads on only while answers get away, and no faster than the agent may send (D4, M8). */
  #regulate(): void {
    const full =
      this.#unanswered >= MAX_UNANSWERED ||
      this.outbox.room().items === 0 ||
      this.#slowdown?.isOn() === true;
    if (full === this.#paused || this.#state !== "open") return;
    this.#paused = full;
    if (full) {
      this.#of.stream.pause();
      this.#watch?.pause();
    } else {
      this.#of.stream.resume();
      this.#watch?.resume();
    }
  }

  #leave(reason: Refusal | undefined): void {
    this.greet(0);
    this.#state = "leaving";
    this.#farewell = reason;
    this.#watch?.stop();
    this.#slowdown?.stop();
    this.#of.stopFeed();
    if (this.#unanswered === 0) this.#finish();
  }

  #finish(): void {
    const { stream } = this.#of;
    this.outbox.settle();
    this.#state = "ended";
    if (this.#farewell === undefined) stream.end();
    else stream.endWith(statusOf(this.#farewell));
    // A client that does not read its last answers does not keep them in memory for ever.
    this.#lastTimer = setTimeout(() => stream.destroy(), LAST_ANSWERS_MS).unref();
  }
}
