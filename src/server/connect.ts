import { randomUUID } from "node:crypto";
import type { Metadata, ServerDuplexStream } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { BehindChannel } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import { ReceiveMode } from "../protocol/wire.js";
import { identify, receiveMode, statusOf } from "./call-identity.js";
import { createFeed, type Feed } from "./feed.js";
import type { Receiver, Receivers } from "./receivers.js";
import { encodeFrame } from "./responses.js";
import { createSession, type Session, SHUTTING_DOWN, SUPERSEDED } from "./session.js";
import { takenPositions } from "./taken-positions.js";
import type { Turns } from "./turns.js";
import { HUB_VERSION } from "./version.js";

/** When a session may come back whose entries could not be read, in milliseconds. */
const COME_BACK_MS = 1_000;

type ConnectStream = ServerDuplexStream<Uint8Array, Uint8Array>;

/** What all sessions of a hub share. */
export interface Sessions {
  turns: Turns;
  receivers: Receivers;
  log: Logger;
  storeEpoch: string;
  maxMessageBytes: number;
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
  let feed: Feed | undefined;
  const session = createSession({
    agentId,
    stream,
    turns,
    maxMessageBytes: sessions.maxMessageBytes,
    stopFeed: () => feed?.stop(),
    resumeFeed: () => feed?.resume(),
    receiptsWaiting: (one) => sessions.withReceipts.add(one),
  });
  const receiver: Receiver = {
    offer: (entry) => feed?.offer(entry),
    supersede() {
      log.info("session superseded");
      session.goAway(SUPERSEDED);
    },
  };

  const started = encodeFrame({
    $case: "sessionStarted",
    value: {
      sessionId,
      agentId,
      hubVersion: HUB_VERSION,
      storeEpoch: sessions.storeEpoch,
      receiveMode: mode,
      backlog: 0n,
      limits: undefined,
    },
  });

  open.add(session);
  log.debug({ mode: ReceiveMode[mode], peer: stream.getPeer() }, "session begun");
  session.outbox.push(started);
  if (mode !== ReceiveMode.RECEIVE_MODE_NONE) {
    const auto = mode === ReceiveMode.RECEIVE_MODE_AUTO;
    const failed = (refusal: Refusal) => session.goAway(refusal, COME_BACK_MS);
    feed = createFeed({
      agentId,
      outbox: session.outbox,
      turns,
      failed,
      ...(auto && { taken: takenPositions((acks) => session.acknowledge(acks)) }),
    });
    // At once, and not when the positions are read: what the older session sends from now on
    // is not stored (I4), what it sent before is read by the job below.
    receivers.claim(agentId, receiver);
    turns.submit<BehindChannel[]>({
      run: ({ tx }) => tx.channelsBehind(agentId),
      done: (behind) => feed?.start(behind),
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
