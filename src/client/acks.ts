import { MAX_ACKS } from "../protocol/limits.js";
import type { ChannelPosition, ConnectRequest } from "../protocol/wire.js";

/** Marks the requests that carry acks, whose refusals nobody waits for. */
const ACK_REQUEST_ID = "acks";
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
  }

  function send(positions: Pick<ConnectRequest, "acks" | "setAside">): void {
    link.send({ requestId: ACK_REQUEST_ID, heartbeat: false, frame: undefined, ...positions });
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
    },
    flush,
    isAck: (requestId) => requestId === ACK_REQUEST_ID,
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
    },
  };
}

/** Takes as many positions as a request may have. */
function takeFrom(positions: Map<string, number>): ChannelPosition[] {
  const taken = [...positions].slice(0, MAX_ACKS);
  for (const [channelId] of taken) positions.delete(channelId);
  return taken.map(([channelId, seq]) => ({ channelId, seq: BigInt(seq) }));
}
