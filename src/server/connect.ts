import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Caller } from "../hub/credentials.js";
import type { BehindChannel } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import { ReceiveMode } from "../protocol/wire.js";
import { receiveMode, statusOf } from "./call-identity.js";
import type { ConnectStream } from "./connect-stream.js";
import { createFeed, type Feed } from "./feed.js";
import { greetingOf, type HubFacts } from "./greeting.js";
import type { Identified, Logins } from "./logins.js";
import { createProgress } from "./progress.js";
import type { Rates } from "./rate.js";
import type { Receiver, Receivers } from "./receivers.js";
import {
  createSession,
  HEARTBEAT_MISSED,
  type Session,
  SHUTTING_DOWN,
  SUPERSEDED,
} from "./session.js";
import { type SessionPlaces, TOO_MANY_SESSIONS } from "./session-places.js";
import { takenPositions } from "./taken-positions.js";
import type { Turns } from "./turns.js";
import { createWindow, OPEN_WINDOW } from "./window.js";

/** When a session may come back that was ended for no fault of its client, in milliseconds. */
const COME_BACK_MS = 1_000;

/** How long a session whose credentials were revoked may take to read why, in milliseconds. */
const LAST_WORD_MS = 500;

/** What all sessions of a hub share. */
export interface Sessions extends HubFacts {
  turns: Turns;
  receivers: Receivers;
  rates: Rates;
  places: SessionPlaces;
  logins: Logins;
  log: Logger;
  /** Every session whose stream is open. */
  open: Set<Session>;
  /** Those with receipts of the running turn to send. */
  withReceipts: Set<Session>;
  /** No further session is begun. */
  stopping: boolean;
  /** Called when the last open session is gone. */
  emptied: () => void;
}

/** Begins a session on a new Connect stream, or ends the stream with a status. */
export function connect(sessions: Sessions, stream: ConnectStream): void {
  if (sessions.stopping) {
    stream.endWith(statusOf(SHUTTING_DOWN));
    return;
  }
  const identity = sessions.logins.identify(stream);
  if (!(identity instanceof Promise)) {
    admit(sessions, stream, identity);
    return;
  }
  // Until then nobody reads the stream: what arrives is neither decoded nor lost.
  void identity.then((known) => {
    if (!stream.destroyed) admit(sessions, stream, known);
  });
}

function admit(sessions: Sessions, stream: ConnectStream, identity: Identified): void {
  if ("refusal" in identity) {
    stream.endWith(statusOf(identity.refusal));
    return;
  }
  const receive = receiveMode(stream.metadata);
  if ("refusal" in receive) stream.endWith(statusOf(receive.refusal));
  else if (sessions.stopping) stream.endWith(statusOf(SHUTTING_DOWN));
  else if (!takePlace(sessions, identity.caller, receive.mode)) {
    stream.endWith(statusOf(TOO_MANY_SESSIONS));
  } else beginSession(sessions, stream, identity, receive.mode);
}

function takePlace(
  { places, receivers }: Sessions,
  { agentId }: Caller,
  mode: ReceiveMode,
): boolean {
  const receives = mode !== ReceiveMode.RECEIVE_MODE_NONE;
  return places.take(agentId, receives && receivers.isOnline(agentId));
}

function beginSession(
  sessions: Sessions,
  stream: ConnectStream,
  { caller, principal }: Exclude<Identified, { refusal: Refusal }>,
  mode: ReceiveMode,
): void {
  const { agentId } = caller;
  const { turns, receivers, open } = sessions;
  const sessionId = `ses_${randomUUID()}`;
  const log = sessions.log.child({ sessionId, agentId });
  const isManual = mode === ReceiveMode.RECEIVE_MODE_MANUAL;
  let feed: Feed | undefined;
  const session = createSession({
    caller,
    stream,
    turns,
    rates: sessions.rates,
    maxMessageBytes: sessions.maxMessageBytes,
    limits: sessions.limits,
    heartbeatIntervalMs: sessions.heartbeatIntervalMs,
    greeting: (backlog) => greetingOf(sessions, { sessionId, agentId, mode, backlog }),
    stopFeed() {
      feed?.stop();
      progress.stop();
    },
    resumeFeed() {
      feed?.resume();
      progress.resume();
    },
    release(positions) {
      for (const { channelId, seq } of positions) feed?.release(channelId, Number(seq));
    },
    forget(channelIds) {
      for (const channelId of channelIds) feed?.release(channelId, Infinity);
    },
    silent() {
      log.info("session ended: its client has gone silent");
      receivers.release(agentId, receiver);
      session.goAway(HEARTBEAT_MISSED, COME_BACK_MS);
    },
    receiptsWaiting: (one) => sessions.withReceipts.add(one),
  });
  const progress = createProgress(session.outbox);
  const receiver: Receiver = {
    offer: (entry) => feed?.offer(entry),
    // The greeting is first.
    progressed: (...news) => session.isGreeted() && progress.moved(...news),
    supersede() {
      log.info("session superseded");
      session.goAway(SUPERSEDED);
    },
  };

  open.add(session);
  const unwatch = sessions.logins.watch(principal, (word, reconnectAfterMs) => {
    log.info({ credential: principal.credential, reason: word.reason }, "credentials ended");
    session.goAway(word, reconnectAfterMs);
    // One that may come back takes its own place over (I4).
    if (reconnectAfterMs !== undefined) return;
    receivers.release(agentId, receiver);
    // What it has not taken by then, it does not get any more.
    setTimeout(() => stream.destroy(), LAST_WORD_MS).unref();
  });
  log.debug({ mode: ReceiveMode[mode], peer: stream.getPeer() }, "session begun");
  if (mode === ReceiveMode.RECEIVE_MODE_NONE) {
    session.greet(0);
  } else {
    const failed = (refusal: Refusal) => session.goAway(refusal, COME_BACK_MS);
    feed = createFeed({
      agentId,
      outbox: session.outbox,
      window: isManual ? createWindow(sessions.window) : OPEN_WINDOW,
      turns,
      failed,
      ...(!isManual && { taken: takenPositions((acks) => session.acknowledge(acks)) }),
    });
    // At once, and not when the positions are read: what the older session sends from now on
    // is not stored (I4), what it sent before is read by the job below.
    receivers.claim(agentId, receiver);
    // failpoint: session-claimed
    turns.submit<BehindChannel[]>({
      run: ({ tx }) => tx.channelsBehind(agentId),
      done(behind) {
        session.greet(behind.reduce((sum, { position, due }) => sum + due - position, 0));
        // failpoint: session-started
        feed?.start(behind);
      },
      failed,
    });
  }

  stream.on("data", (request: Uint8Array) => session.receive(request));
  stream.on("end", () => session.halfClosed());
  stream.on("close", () => {
    unwatch();
    receivers.release(agentId, receiver);
    open.delete(session);
    sessions.places.free(agentId);
    session.close();
    if (open.size === 0) sessions.emptied();
    log.debug("session closed");
  });
}
