import { randomUUID } from "node:crypto";
import type { Principal } from "../auth/principal.js";
import type { Caller } from "../hub/credentials.js";
import type { StoredEntry } from "../hub/entry.js";
import type { BehindChannel } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import { type ChannelPosition, ReceiveMode } from "../protocol/wire.js";
import type { ConnectStream, StreamReader } from "./connect-stream.js";
import { HEARTBEAT_MISSED, SUPERSEDED } from "./farewells.js";
import { createFeed, type Feed } from "./feed.js";
import { greetingOf } from "./greeting.js";
import { createProgress, type Progress } from "./progress.js";
import type { Receiver } from "./receivers.js";
import { createSession, type Session } from "./session.js";
import type { SessionHost } from "./session-host.js";
import type { Sessions } from "./sessions.js";
import { takenPositions } from "./taken-positions.js";
import { createWindow, OPEN_WINDOW } from "./window.js";

/** When a session may come back that was ended for no fault of its client, in milliseconds. */
const COME_BACK_MS = 1_000;

/** How long a session whose credentials were revoked may take to read why, in milliseconds. */
const LAST_WORD_MS = 500;

/** Begins the session of an agent that may have one and has taken its place. */
export function beginSession(
  sessions: Sessions,
  stream: ConnectStream,
  { caller, principal }: { caller: Caller; principal: Principal },
  mode: ReceiveMode,
): void {
  const host = new Host(sessions, stream, caller, mode);
  host.watch(principal);
  host.begin();
  stream.readBy(host);
}

/** What is around a session: its feed, and its place among the others. One object, for they are many. */
class Host implements SessionHost, Receiver, StreamReader {
  readonly settings: Sessions;
  readonly stream: ConnectStream;
  readonly caller: Caller;
  readonly #mode: ReceiveMode;
  readonly #sessionId = `ses_${randomUUID()}`;
  readonly #session: Session;
  #feed: Feed | undefined;
  /** Of a session whose peers have got further. */
  #progress: Progress | undefined;
  #isStopped = false;
  #unwatch = () => {};

  constructor(settings: Sessions, stream: ConnectStream, caller: Caller, mode: ReceiveMode) {
    this.settings = settings;
    this.stream = stream;
    this.caller = caller;
    this.#mode = mode;
    this.#session = createSession(this);
    settings.open.add(this.#session);
  }

  /** Ends the session when its credentials do. */
  watch(principal: Principal): void {
    const { logins, log, receivers } = this.settings;
    this.#unwatch = logins.watch(principal, (word, reconnectAfterMs) => {
      const { credential } = principal;
      log.info({ ...this.#names(), credential, reason: word.reason }, "credentials ended");
      this.#session.goAway(word, reconnectAfterMs);
      // One that may come back takes its own place over (I4).
      if (reconnectAfterMs !== undefined) return;
      receivers.release(this.caller.agentId, this);
      // What it has not taken by then, it does not get any more.
      setTimeout(() => this.stream.destroy(), LAST_WORD_MS).unref();
    });
  }

  begin(): void {
    const session = this.#session;
    const { agentId } = this.caller;
    const { turns, receivers, log } = this.settings;
    const mode = ReceiveMode[this.#mode];
    log.debug({ ...this.#names(), mode, peer: this.stream.getPeer() }, "session begun");
    if (this.#mode === ReceiveMode.RECEIVE_MODE_NONE) {
      session.greet(0);
      return;
    }
    const failed = (refusal: Refusal) => session.goAway(refusal, COME_BACK_MS);
    const feed = this.#makeFeed(failed);
    this.#feed = feed;
    // At once, and not when the positions are read: what the older session sends from now on
    // is not stored (I4), what it sent before is read by the job below.
    receivers.claim(agentId, this);
    // failpoint: session-claimed
    turns.submit<BehindChannel[]>({
      run: ({ tx }) => tx.channelsBehind(agentId),
      done(behind) {
        session.greet(behind.reduce((sum, { position, due }) => sum + due - position, 0));
        // failpoint: session-started
        feed.start(behind);
      },
      failed,
    });
  }

  #makeFeed(failed: (refusal: Refusal) => void): Feed {
    const { turns, window } = this.settings;
    const session = this.#session;
    const isManual = this.#mode === ReceiveMode.RECEIVE_MODE_MANUAL;
    return createFeed({
      agentId: this.caller.agentId,
      outbox: session.outbox,
      window: isManual ? createWindow(window) : OPEN_WINDOW,
      turns,
      failed,
      ...(!isManual && { taken: takenPositions((acks) => session.acknowledge(acks)) }),
    });
  }

  request(bytes: Uint8Array): void {
    this.#session.receive(bytes);
  }

  halfClosed(): void {
    this.#session.halfClosed();
  }

  closed(): void {
    const { receivers, open, places, emptied, log } = this.settings;
    const { agentId } = this.caller;
    this.#unwatch();
    receivers.release(agentId, this);
    open.delete(this.#session);
    places.free(agentId);
    this.#session.close();
    if (open.size === 0) emptied();
    log.debug(this.#names(), "session closed");
  }

  greeting(backlog: number): Uint8Array {
    const { agentId } = this.caller;
    const [sessionId, mode] = [this.#sessionId, this.#mode];
    return greetingOf(this.settings, { sessionId, agentId, mode, backlog });
  }

  stopFeed(): void {
    this.#isStopped = true;
    this.#feed?.stop();
    this.#progress?.stop();
  }

  resumeFeed(): void {
    this.#feed?.resume();
    this.#progress?.resume();
  }

  release(positions: ChannelPosition[]): void {
    for (const { channelId, seq } of positions) this.#feed?.release(channelId, Number(seq));
  }

  forget(channelIds: string[]): void {
    for (const channelId of channelIds) this.#feed?.release(channelId, Infinity);
  }

  silent(): void {
    const { receivers, log } = this.settings;
    log.info(this.#names(), "session ended: its client has gone silent");
    receivers.release(this.caller.agentId, this);
    this.#session.goAway(HEARTBEAT_MISSED, COME_BACK_MS);
  }

  receiptsWaiting(): void {
    this.settings.withReceipts.add(this.#session);
  }

  offer(entry: StoredEntry): void {
    this.#feed?.offer(entry);
  }

  progressed(channelId: string, peerId: string, ackedSeq: number): void {
    // The greeting is first.
    if (this.#isStopped || !this.#session.isGreeted()) return;
    this.#progress ??= createProgress(this.#session.outbox);
    this.#progress.moved(channelId, peerId, ackedSeq);
  }

  supersede(): void {
    this.settings.log.info(this.#names(), "session superseded");
    this.#session.goAway(SUPERSEDED);
  }

  /** What the log calls it. A logger for each session would be larger than the session. */
  #names(): { sessionId: string; agentId: string } {
    return { sessionId: this.#sessionId, agentId: this.caller.agentId };
  }
}
