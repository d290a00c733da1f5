import { setTimeout as delay } from "node:timers/promises";
import type { ChatHubClient, ConnectResponse, SessionStarted } from "../protocol/wire.js";
import { type Acks, createAcks } from "./acks.js";
import { type Answers, createAnswers } from "./answers.js";
import { type CallBounds, withinBounds } from "./call-bounds.js";
import { type Connection, startConnection } from "./connection.js";
import { createConnectionEvents } from "./connection-events.js";
import { deliveryOf } from "./delivery.js";
import { type ChatHubError, closedError } from "./errors.js";
import { progressOf, sessionInfoOf } from "./from-wire.js";
import type { Hooks } from "./hooks.js";
import { Inbox } from "./inbox.js";
import type { Settings } from "./options.js";
import { createOutstanding, type Outstanding } from "./outstanding.js";
import type { Answer } from "./request-under-way.js";
import { openStub } from "./stub.js";
import type { RequestFrame } from "./to-wire.js";

/** How long disconnect() waits for answers and running handlers. */
const DISCONNECT_WAIT_MS = 5_000;

interface Connecting {
  resolve: (value: undefined) => void;
  reject: (error: unknown) => void;
}

/** The parts of a client, and how they begin and end together. */
export class Lifecycle {
  readonly events = createConnectionEvents();
  readonly answers: Answers;
  readonly inbox: Inbox;
  /** Loops that are told when the client is done. */
  readonly views = new Set<{ end(error?: ChatHubError): void }>();
  readonly #settings: Settings;
  readonly #hooks: Hooks;
  readonly #acks: Acks;
  readonly #outstanding: Outstanding;
  readonly #connecting = new Set<Connecting>();
  #stub: ChatHubClient | undefined;
  #connection: Connection | undefined;
  /** Aborted when the client leaves. */
  #leaving = new AbortController();
  /** Aborted, with the error that says why, when nothing of it is left. */
  #gone = new AbortController();
  /** The connection there is had a session. */
  #greeted = false;
  #disconnecting: Promise<void> | undefined;
  #epoch: string | undefined;
  /** Why there is no connection; undefined while there is one. */
  #over: ChatHubError | undefined = closedError("not connected: call connect() first");

  constructor(settings: Settings, hooks: Hooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    const lifecycle = this;
    const link = {
      get writable() {
        return lifecycle.#connection?.writable ?? false;
      },
      send: (request: Parameters<Connection["send"]>[0]) => this.#connection?.send(request),
    };
    this.#acks = createAcks(link);
    this.#outstanding = createOutstanding(link);
    this.answers = createAnswers(() => this.inbox.answersChanged());
    this.inbox = new Inbox({
      bounds: { maxEntries: settings.maxBufferedEntries, maxBytes: settings.maxBufferedBytes },
      ack: (channelId, seq) => this.#acks.add(channelId, seq),
      setAside: (channelId, seq) => this.#acks.setAside(channelId, seq),
      reopen: () => this.#connection?.reopen(),
      claim: (delivery) => this.answers.claim(delivery),
      expectsAnswers: () => this.answers.expected,
    });
  }

  /** Aborted when the client disconnects. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Aborted once the client has disconnected or was sent away; its reason is a ChatHubError. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** For unary calls, which need no session. Opened when first needed, closed by disconnect(). */
  stub(): ChatHubClient {
    this.#stub ??= openStub(this.#settings);
    return this.#stub;
  }

  /** Sends a frame and waits for its answer. */
  call(frame: RequestFrame, bounds: CallBounds): Promise<Answer> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return this.#outstanding.call(frame, bounds);
  }

  /** Resolves when a session is open; gives up for good when its bounds are reached. */
  async connect(bounds: CallBounds): Promise<void> {
    // Only where there is something to wait for: a disconnect() right after this call must
    // find a connection to end.
    while (this.#disconnecting !== undefined) await this.#disconnecting;
    if (this.#connection?.open) return;
    const trouble = () => this.#connection?.trouble;
    try {
      await withinBounds<undefined>({ ...bounds, trouble }, (resolve, reject) => {
        const connecting = { resolve, reject };
        this.#connecting.add(connecting);
        if (this.#connection === undefined) this.#start();
        return () => this.#connecting.delete(connecting);
      });
    } catch (error) {
      // Another connect() may still be waiting, with more time.
      if (!this.#greeted && this.#connecting.size === 0 && this.#over === undefined) {
        this.#end(closedError("not connected: connect() did not succeed"));
        this.events.publish({ state: "closed" });
      }
      throw error;
    }
  }

  /** Ends the session in good order and leaves nothing open. */
  disconnect(): Promise<void> {
    this.#disconnecting ??= this.#disconnect().finally(() => {
      this.#disconnecting = undefined;
    });
    return this.#disconnecting;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    for (const view of this.views) view.end();
    this.inbox.close();
    this.#leaving.abort();
    if (connection?.open) {
      const bounded = new AbortController();
      const quiet = this.inbox.idle().then(() => this.#outstanding.idle());
      const { signal } = bounded;
      await Promise.race([quiet, delay(DISCONNECT_WAIT_MS, undefined, { signal }).catch(() => {})]);
      bounded.abort();
    }
    const closed = closedError("the client was disconnected");
    this.#over = closed;
    this.#gone.abort(closed);
    this.#outstanding.failAll(closed);
    await connection?.leave();
    this.#end(closed);
    if (connection !== undefined) this.events.publish({ state: "closed" });
  }

  #start(): void {
    this.#over = undefined;
    this.#greeted = false;
    if (this.#leaving.signal.aborted) this.#leaving = new AbortController();
    if (this.#gone.signal.aborted) this.#gone = new AbortController();
    this.#connection = startConnection({
      stub: () => this.stub(),
      settings: this.#settings,
      events: this.events,
      hooks: {
        onSession: (started, own) => this.#onSession(started, own),
        onResponse: (response) => this.#onResponse(response),
        onFrame: this.#hooks.onFrame,
        onWritable: () => {
          this.#acks.flush();
          this.#outstanding.pump();
        },
        onLeaving: () => this.#acks.flush(),
        onSilence: () => this.#closeStub(),
        onFinal: (error) => this.#end(error),
      },
    });
  }

  #onSession(started: SessionStarted, own: boolean): void {
    const { storeEpoch, limits } = sessionInfoOf(started);
    this.#greeted = true;
    if (this.#epoch !== undefined && this.#epoch !== storeEpoch) {
      this.inbox.forgetAll();
      this.#acks.clear();
      this.answers.storeChanged();
    }
    this.#epoch = storeEpoch;
    this.#acks.sessionStarted();
    if (!this.#leaving.signal.aborted) this.inbox.sessionStarted(own, limits);
    this.#acks.flush();
    this.#outstanding.resend();
    for (const connecting of [...this.#connecting]) connecting.resolve(undefined);
  }

  /** What a newer hub may send beside these is ignored, as is the answer to a heartbeat. */
  #onResponse(response: ConnectResponse): void {
    const { requestId, receipts, frame } = response;
    for (const receipt of receipts) {
      this.#outstanding.answered(receipt.requestId, { kind: "receipt", receipt });
    }
    if (frame?.$case === "error") {
      const positions = () => this.inbox.positions();
      if (!this.#acks.isAck(requestId)) this.#outstanding.refused(requestId, frame.value);
      else if (frame.value.retryable) this.#acks.refused(positions);
      else this.#acks.refusedForGood(requestId, positions);
    } else if (frame?.$case === "chatHistory") {
      this.#outstanding.answered(requestId, { kind: "page", page: frame.value });
    } else if (frame?.$case === "progress") {
      this.#hooks.onProgress(progressOf(frame.value));
    }
    const delivery = deliveryOf(response);
    if (delivery === undefined) return;
    this.inbox.offer(delivery);
    if (delivery.kind === "end") this.answers.ended(delivery.channelId);
  }

  /** Nothing of the connection is left; calls are answered with this error from now on. */
  #end(error: ChatHubError): void {
    this.#over = error;
    this.#connection?.abort();
    this.#connection = undefined;
    this.inbox.close();
    this.#leaving.abort();
    this.#gone.abort(error);
    this.#acks.clear();
    this.#outstanding.failAll(error);
    this.answers.failAll(error);
    for (const connecting of [...this.#connecting]) connecting.reject(error);
    for (const view of this.views) view.end(error.reason === "CLOSED" ? undefined : error);
    this.#closeStub();
  }

  /** The next call opens another one; those under way keep theirs until its pings are missed. */
  #closeStub(): void {
    this.#stub?.close();
    this.#stub = undefined;
  }
}
