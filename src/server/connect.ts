import { randomUUID } from "node:crypto";
import type { Metadata, ServerDuplexStream } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { BehindChannel } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import { ReceiveMode } from "../protocol/wire.js";
import { identify, receiveMode, statusOf } from "./call-identity.js";
import { createFeed, type Feed } from "./feed.js";
import { greetingOf, type HubFacts } from "./greeting.js";
import { createProgress } from "./progress.js";
import type { Receiver, Receivers } from "./receivers.js";
import {
  createSession,
  HEARTBEAT_MISSED,
  type Session,
  SHUTTING_DOWN,
  SUPERSEDED,
} from "./session.js";
import { takenPositions } from "./taken-positions.js";
import type { Turns } from "./turns.js";
import { createWindow, OPEN_WINDOW } from "./window.js";

/** When a session may come back that was ended for no fault of its client, in milliseconds. */
const COME_BACK_MS = 1_000;

type ConnectStream = ServerDuplexStream<Uint8Array, Uint8Array>;

/** What all sessions of a hub share. */
export interface Sessions extends HubFacts {
  turns: Turns;
  receivers: Receivers;
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
  // Without a listener an error on a broken stream would end the process.
  stream.on("error", (error) => sessions.log.debug({ err: error }, "stream ended with an error"));
  const asked = whatIsAsked(sessions, stream.metadata);
  if ("refusal" in asked) stream.emit("error", statusOf(asked.refusal));
  else beginSession(sessions, stream, asked.agentId, asked.mode);
}

function whatIsAsked(
  { stopping }: Sessions,
  metadata: Metadata,
): { agentId: string; mode: ReceiveMode } | { refusal: Refusal } {
  if (stopping) return { refusal: SHUTTING_DOWN };
  const identity = identify(metadata);
  if ("refusal" in identity) return identity;
  const receive = receiveMode(metadata);
  return "refusal" in receive ? receive : { ...identity, ...receive };
}

function beginSession(
  sessions: Sessions,
  stream: ConnectStream,
  agentId: string,
  mode: ReceiveMode,
): void {
  const { turns, receivers, open } = sessions;
  const sessionId = `ses_${randomUUID()}`;
  const log = sessions.log.child({ sessionId, agentId });
  const isManual = mode === ReceiveMode.RECEIVE_MODE_MANUAL;
  let feed: Feed | undefined;
  const session = createSession({
    agentId,
    stream,
    turns,
    maxMessageBytes: sessions.maxMessageBytes,
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
    receivers.release(agentId, receiver);
    open.delete(session);
    session.close();
    if (open.size === 0) sessions.emptied();
    log.debug("session closed");
  });
}
