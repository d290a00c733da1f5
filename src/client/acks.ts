import { MAX_ACKS } from "../protocol/limits.js";
import type { ChannelPosition, ConnectRequest } from "../protocol/wire.js";

/** Marks the requests that carry acks, whose refusals nobody waits for. */
const ACK_REQUEST_ID = "acks";
/** The same with one position, which alone is refused where it means nothing. */
const SINGLE_ACK_REQUEST_ID = "ack";
const RETRY_MS = 1_000;

/** Tells the hub how far this agent has handled each channel (D2), and what it leaves (D5). */
export interface Acks {
  /** Everything in the channel up to seq is handled. Sent with the others of this turn. */
  add(channelId: string, seq: number): void;
  /** Deliveries of the channel up to seq are left to a later session. Sent in the same way. */
  setAside(channelId: string, seq: number): void;
  /** What was left in the session before means nothing in this one. */
  sessionStarted(): void;
  /** Sends what has gathered, if a session is open; else it waits for the next one. */
  flush(): void;
  /** A refusal with this request_id is about acks. */
  isAck(requestId: string): boolean;
  /** The hub could not take acks just now: these, and what was left, are sent again, a little later. */
  refused(positions: () => Iterable<[channelId: string, seq: number]>): void;
  /**
   * The hub refused acks for good: one of them is about a channel that is not there any more.
   * The positions go out once more, each in a request of its own, so that only that one is lost.
   */
  refusedForGood(requestId: string, positions: () => Iterable<[string, number]>): void;
  /** Forgets what has not been sent: it is about another log, or the client is done. */
  clear(): void;
}

/** Cumulative acks, one request for all of an event-loop turn. */
export function createAcks(link: {
  readonly writable: boolean;
  send(request: ConnectRequest): void;
}): Acks {
  const acks = new Map<string, number>();
  const aside = new Map<string, number>();
  const alone = new Map<string, number>();
  /** What was set aside in this session. */
  const asideSent = new Map<string, number>();
  let scheduled: NodeJS.Immediate | undefined;
  let retry: NodeJS.Timeout | undefined;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    // In requests of their own: refused acks would refuse what stands beside them (M5).
    while (acks.size > 0 && link.writable) send({ acks: takeFrom(acks), setAside: [] });
    while (aside.size > 0 && link.writable) send({ acks: [], setAside: takeFrom(aside) });
    while (alone.size > 0 && link.writable) {
      send({ acks: takeFrom(alone, 1), setAside: [] }, SINGLE_ACK_REQUEST_ID);
    }
  }

  function send(
    positions: Pick<ConnectRequest, "acks" | "setAside">,
    requestId = ACK_REQUEST_ID,
  ): void {
    link.send({ requestId, heartbeat: false, frame: undefined, ...positions });
  }

  function note(positions: Map<string, number>, channelId: string, seq: number): void {
    positions.set(channelId, Math.max(seq, positions.get(channelId) ?? 0));
    scheduled ??= setImmediate(flush);
  }

  function add(channelId: string, seq: number): void {
    note(acks, channelId, seq);
  }

  return {
    add,
    setAside(channelId, seq) {
      note(aside, channelId, seq);
      asideSent.set(channelId, Math.max(seq, asideSent.get(channelId) ?? 0));
    },
    sessionStarted() {
      aside.clear();
      asideSent.clear();
      alone.clear();
    },
    flush,
    isAck: (requestId) => requestId === ACK_REQUEST_ID || requestId === SINGLE_ACK_REQUEST_ID,
    refusedForGood(requestId, positions) {
      if (requestId !== ACK_REQUEST_ID) return;
      for (const position of positions()) alone.set(...position);
      flush();
    },
    refused(positions) {
      if (retry !== undefined) return;
      retry = setTimeout(() => {
        retry = undefined;
        for (const [channelId, seq] of positions()) add(channelId, seq);
        for (const [channelId, seq] of asideSent) note(aside, channelId, seq);
      }, RETRY_MS).unref();
    },
    clear() {
      clearImmediate(scheduled);
      clearTimeout(retry);
      scheduled = undefined;
      retry = undefined;
      acks.clear();
      aside.clear();
      alone.clear();
    },
  };
}

/** Takes as many positions as a request may have. */
function takeFrom(positions: Map<string, number>, most = MAX_ACKS): ChannelPosition[] {
  const taken = [...positions].slice(0, most);
  for (const [channelId] of taken) positions.delete(channelId);
  return taken.map(([channelId, seq]) => ({ channelId, seq: BigInt(seq) }));
}
