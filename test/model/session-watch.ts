import { isDeepStrictEqual } from "node:util";
import { ConnectRequest, ConnectResponse, type Receipt } from "../../src/protocol/wire.js";
import type { WindowLimits } from "../../src/server/window.js";
import { type DeliveryWatch, watchDeliveries } from "./delivery-watch.js";
import { frameOf, keyOf, wordsIn } from "./frame-words.js";
import { HEARTBEAT_INTERVAL_MS } from "./hub-in-memory.js";
import type { LogWatch } from "./log-watch.js";
import type { Mode, StreamEvents } from "./stream-double.js";

/** What may be on its way to one session before nothing more is delivered (D4). */
const MAX_ON_THE_WAY = { items: 256, bytes: 1024 * 1024 };
/** A page that was asked for may come on top of it, and the hub's last word. */
const MAX_ON_TOP = { items: 1, bytes: 2 * 1024 * 1024 };

/** Everything one session says and hears, and what is wrong with it. */
export interface SessionWatch extends StreamEvents {
  readonly deliveries: DeliveryWatch;
  /** The reason of the go_away that the hub has written, "" before. */
  leaving(): string;
  status(): { code: number } | "ok" | "cut" | undefined;
  /** Keys of frames that have a receipt here. */
  receipted(): ReadonlySet<string>;
  /** Everything the hub has read is answered, now that it is at rest (M5). */
  checkAnswered(): void;
  /** Takes in which positions were not refused, now that the hub is at rest or gone. */
  takePositionsIn(): void;
  /** The peers' positions that were moved since this session began have been told (D6). */
  checkProgress(): void;
  /** It has sent heartbeats, and for too long nothing at all (L3). */
  isMissed(): boolean;
  /** The client has half-closed. */
  isClosing(): boolean;
}

interface Asked {
  request: ConnectRequest;
  answers: number;
  refused: boolean;
}

export function watchSession(of: {
  agentId: string;
  mode: Mode;
  log: LogWatch;
  window: WindowLimits;
  monotonicMs: () => number;
  violated: (what: string) => void;
}): SessionWatch {
  const { agentId, mode, log } = of;
  const violated = (what: string) => of.violated(`session of ${agentId} (${mode}): ${what}`);
  const deliveries = watchDeliveries({
    agentId,
    log,
    window: mode === "manual" ? of.window : undefined,
    violated,
  });
  const asked = new Map<string, Asked>();
  /** Requests that want an answer and have none. */
  const unanswered = new Set<string>();
  /** Requests whose positions are to be taken in. */
  const withPositions = new Set<string>();
  const receipted = new Set<string>();
  const firstReceipts = new Set<string>();
  const told = new Map<string, number>();
  let began = -1;
  let leaving = "";
  let status: { code: number } | "ok" | "cut" | undefined;
  let heardMs = of.monotonicMs();
  let beaten = false;
  let closing = false;

  const isSilent = () => of.monotonicMs() - heardMs >= HEARTBEAT_INTERVAL_MS * 2.5;

  function answered(requestId: string, what: string): ConnectRequest | undefined {
    const one = asked.get(requestId);
    if (one === undefined) {
      violated(`${what} answers ${requestId}, which it did not ask`);
      return undefined;
    }
    one.answers += 1;
    unanswered.delete(requestId);
    if (one.answers > 1) violated(`${requestId} is answered ${one.answers} times (M5)`);
    return one.request;
  }

  function checkReceipt(receipt: Receipt): void {
    const { requestId, channelId, duplicate } = receipt;
    const seq = Number(receipt.seq);
    const request = answered(requestId, "a receipt");
    const entry = log.log(channelId)[seq - 1];
    if (request?.frame === undefined) return;
    if (entry === undefined) {
      violated(`a receipt for ${channelId} ${seq}, which is not stored (M1)`);
      return;
    }
    const kind = request.frame.$case;
    const key = keyOf(request.frame);
    const isIts =
      entry.kind === kind &&
      (entry.author === agentId || (duplicate && key === "")) &&
      (key === "" || entry.key === key) &&
      (duplicate || wordsIn(request.frame) === wordsIn(frameOf(entry)));
    if (!isIts) violated(`the receipt of ${kind} ${key} names ${channelId} ${seq}, ${entry.kind}`);
    const place = `${channelId} ${seq}`;
    if (!duplicate && firstReceipts.has(place)) violated(`${place} has two first receipts (M2)`);
    firstReceipts.add(place);
    receipted.add(key);
  }

  function checkDelivery(response: ConnectResponse, sizeBytes: number): void {
    const { frame } = response;
    if (frame === undefined || !("seq" in frame.value)) return;
    const { channelId, seq } = frame.value;
    const entry = log.log(channelId)[Number(seq) - 1];
    if (entry === undefined) {
      violated(`${channelId} ${seq} is delivered and not stored (M1)`);
      return;
    }
    const same = isDeepStrictEqual(frame, frameOf(entry));
    if (!same) violated(`${channelId} ${seq} is delivered otherwise than stored (M3)`);
    if (mode === "none") violated(`${channelId} ${seq} is delivered to a session with none`);
    if (leaving !== "") violated(`${channelId} ${seq} is delivered after go_away`);
    if (closing) violated(`${channelId} ${seq} is delivered after the client half-closed (L1)`);
    deliveries.delivered(entry, sizeBytes);
  }

  function checkTold(channelId: string, peerId: string, ackedSeq: number): void {
    const position = log.position(channelId, peerId) ?? -1;
    if (peerId === agentId || log.position(channelId, agentId) === undefined) {
      violated(`progress of ${peerId} in ${channelId} is none of its business (D6)`);
    }
    if (ackedSeq > position) violated(`progress of ${peerId} to ${ackedSeq}, is at ${position}`);
    const before = told.get(channelId) ?? -1;
    if (ackedSeq <= before) violated(`progress ${ackedSeq} is told after ${before} (D6)`);
    told.set(channelId, ackedSeq);
  }

  return {
    deliveries,
    written(bytes, before) {
      const response = ConnectResponse.decode(bytes);
      const { frame, receipts, requestId } = response;
      const isNews = frame !== undefined && ("seq" in frame.value || frame.$case === "progress");
      const isLastWord = leaving !== "" || frame?.$case === "goAway";
      const most = {
        items: MAX_ON_THE_WAY.items + (isLastWord ? MAX_ON_TOP.items : 0),
        bytes: MAX_ON_THE_WAY.bytes + (isNews ? 0 : MAX_ON_TOP.bytes),
      };
      if (before.items >= most.items) violated(`${before.items} are on their way (D4)`);
      if (before.items > 0 && before.bytes + bytes.length > most.bytes) {
        violated(`${before.bytes} and ${bytes.length} bytes are on their way (D4)`);
      }
      if (began < 0 !== (frame?.$case === "sessionStarted"))
        violated("does not start with its start");
      if (began < 0) began = log.transactions();
      for (const receipt of receipts) checkReceipt(receipt);
      switch (frame?.$case) {
        case undefined:
          if (receipts.length === 0) answered(requestId, "an answer");
          return;
        case "error": {
          answered(requestId, "an error");
          const one = asked.get(requestId);
          if (one !== undefined) one.refused = true;
          return;
        }
        case "chatHistory":
          answered(requestId, frame.$case);
          return;
        case "goAway":
          if (leaving !== "") violated(`is told ${leaving} and ${frame.value.reason}`);
          leaving = frame.value.reason;
          if (leaving === "HEARTBEAT_MISSED" && !(beaten && isSilent())) {
            violated("is taken for silent and is not (L3)");
          }
          if (frame.value.reconnect !== (leaving !== "SUPERSEDED")) violated("wrong reconnect");
          return;
        case "progress":
          checkTold(frame.value.channelId, frame.value.agentId, Number(frame.value.ackedSeq));
          return;
        case "sessionStarted":
          return;
        default:
          checkDelivery(response, bytes.length);
      }
    },
    read(bytes) {
      const request = ConnectRequest.decode(bytes);
      heardMs = of.monotonicMs();
      if (request.heartbeat) beaten = true;
      // What a session sends that was told to leave, or is over, must leave no trace (I4, L2).
      if (leaving !== "" || status !== undefined) return;
      asked.set(request.requestId, { request, answers: 0, refused: false });
      if (request.frame !== undefined || request.heartbeat) unanswered.add(request.requestId);
      if (request.acks.length + request.setAside.length > 0) withPositions.add(request.requestId);
      log.heard(wordsIn(request.frame));
      for (const { channelId, seq } of request.acks) {
        // One that is ahead is refused.
        if (Number(seq) > log.log(channelId).length) return;
        log.handled(channelId, agentId, Number(seq));
      }
      for (const { channelId, seq } of [...request.acks, ...request.setAside]) {
        deliveries.released(channelId, Number(seq));
      }
    },
    taken(bytes) {
      const { frame } = ConnectResponse.decode(bytes);
      if (mode !== "auto" || leaving !== "" || frame === undefined) return;
      if ("seq" in frame.value) {
        const { channelId, seq } = frame.value;
        log.handled(channelId, agentId, Number(seq));
        log.surelyHandled(channelId, agentId, Number(seq));
      }
    },
    received: () => {},
    halfClosed() {
      closing = true;
    },
    ended(how) {
      status = how;
      if (
        leaving !== "" &&
        typeof how === "object" &&
        (how.code === 10) !== (leaving === "SUPERSEDED")
      ) {
        violated(`ends with ${how.code} after ${leaving}`);
      }
    },
    misused: violated,
    leaving: () => leaving,
    status: () => status,
    receipted: () => receipted,
    checkAnswered() {
      for (const requestId of unanswered) violated(`${requestId} is not answered (M5)`);
    },
    takePositionsIn() {
      for (const requestId of withPositions) {
        const { request, refused } = asked.get(requestId) ?? {};
        if (request === undefined || refused) continue;
        for (const { channelId, seq } of request.acks) {
          log.surelyHandled(channelId, agentId, Number(seq));
        }
        for (const { channelId, seq } of [...request.acks, ...request.setAside]) {
          deliveries.surelyReleased(channelId, Number(seq));
        }
      }
      withPositions.clear();
    },
    checkProgress() {
      for (const { channelId, providerId, consumerId } of log.channels()) {
        if (providerId !== agentId && consumerId !== agentId) continue;
        const moved = log.movedByAck(channelId, providerId === agentId ? consumerId : providerId);
        if (moved === undefined || moved.transaction <= began) continue;
        const last = told.get(channelId) ?? -1;
        if (last < moved.to) violated(`progress in ${channelId} is ${moved.to}, told ${last} (D6)`);
      }
    },
    isMissed: () => beaten && isSilent(),
    isClosing: () => closing,
  };
}
