import { ConnectRequest, type ConnectResponse } from "claw-chat-hub/protocol";
import type { Random } from "../support/random.ts";
import { type BareSession, openBareSession } from "./bare-session.ts";
import { type EntryFrame, entryFrameOf, keyOf } from "./entry-print.ts";
import type { FrameJournal } from "./frame-journal.ts";
import { ownPositions } from "./own-positions.ts";

/** What came of a frame: where it is stored. */
export interface Placed {
  kind: EntryFrame["$case"];
  key: string;
  channelId: string;
}

/** An agent on the generated stub that comes back and sends again what has no receipt. */
export interface BareAgent {
  readonly id: string;
  /** Frames without a receipt. */
  readonly pending: number;
  /** Dials now, rather than at the next try. */
  dial(): void;
  /** Sends a frame as soon as there is a session, and again until it has a receipt. */
  store(frame: EntryFrame): void;
  /** Whether it has nothing to send and the hub nothing to give it: every position is at the end. */
  settled(): Promise<boolean>;
  /** Half-closes, and resolves when the stream is over; it does not come back. */
  leave(): Promise<void>;
}

/** How long it waits before it dials again when nobody told it that the hub is there. */
const REDIAL_MS = 1_000;
/** Entries are acked some at a time, at the latest after this time. */
const ACK_WITHIN_MS = 15;
const ACK_ONE_IN = 12;

/** Opens nothing before `dial` is called. */
export function createBareAgent(of: {
  id: string;
  address: string;
  journal: FrameJournal;
  random: Random;
  /** A receipt for a frame that had none. */
  placed(placed: Placed, duplicate: boolean): void;
  /** An entry of somebody else; in a later session it may come again. */
  delivered(frame: EntryFrame): void;
}): BareAgent {
  const { id, journal, random } = of;
  /** By request id, in the order of the first sending. */
  const pending = new Map<string, EntryFrame>();
  const unacked = new Map<string, bigint>();
  let session: BareSession | undefined;
  let greeted = false;
  let leaving = false;
  let left: () => void = () => {};
  let redial: NodeJS.Timeout | undefined;
  let ackSoon = false;

  function dial(): void {
    clearTimeout(redial);
    if (session !== undefined || leaving) return;
    session = openBareSession(of.address, id, { response, ended });
  }

  function ended(): void {
    session = undefined;
    greeted = false;
    // The hub sends again what it was not told of.
    unacked.clear();
    if (leaving) left();
    else redial = setTimeout(dial, REDIAL_MS);
  }

  function send(requestId: string, frame: EntryFrame | undefined): void {
    if (session === undefined || !greeted) return;
    const acks = [...unacked].map(([channelId, seq]) => ({ channelId, seq }));
    unacked.clear();
    const request: ConnectRequest = { ...ConnectRequest.create(), requestId, acks, frame };
    journal.sent(request);
    session.send(request);
  }

  function sendAcks(): void {
    if (unacked.size > 0) send("", undefined);
  }

  function response(message: ConnectResponse): void {
    journal.received(message);
    for (const { requestId, channelId, duplicate } of message.receipts) {
      const frame = pending.get(requestId);
      if (!pending.delete(requestId) || frame === undefined) continue;
      of.placed({ kind: frame.$case, key: keyOf(frame), channelId }, duplicate);
    }
    const { frame } = message;
    if (frame?.$case === "sessionStarted") {
      greeted = true;
      for (const [requestId, waiting] of pending) send(requestId, waiting);
      return;
    }
    if (frame?.$case === "error") {
      // Later frames of the channel may be stored already: all go again, in order, if it may be tried again.
      if (frame.value.retryable) session?.leave();
      else pending.delete(message.requestId);
      return;
    }
    const entry = entryFrameOf(frame);
    if (entry === undefined) return;
    unacked.set(entry.value.channelId, entry.value.seq);
    of.delivered(entry);
    if (random.int(1, ACK_ONE_IN) === 1) sendAcks();
    else if (!ackSoon) {
      ackSoon = true;
      setTimeout(() => {
        ackSoon = false;
        sendAcks();
      }, ACK_WITHIN_MS);
    }
  }

  return {
    id,
    get pending() {
      return pending.size;
    },
    dial,
    store(frame) {
      const requestId = `${frame.$case} ${keyOf(frame)}`;
      if (pending.has(requestId)) return;
      pending.set(requestId, frame);
      send(requestId, frame);
    },
    async settled() {
      if (pending.size > 0 || unacked.size > 0 || session === undefined || !greeted) return false;
      const positions = await ownPositions(session.stub, id);
      return positions?.every(({ position, lastSeq }) => position === lastSeq) ?? false;
    },
    leave() {
      leaving = true;
      clearTimeout(redial);
      sendAcks();
      if (session === undefined) return Promise.resolve();
      const over = new Promise<void>((resolve) => {
        left = resolve;
      });
      session.leave();
      return over;
    },
  };
}
