import { MAX_ACKS } from "../protocol/limits.js";
import type { ConnectRequest } from "../protocol/wire.js";

/** Marks the requests that carry acks, whose refusals nobody waits for. */
const ACK_REQUEST_ID = "acks";
const RETRY_MS = 1_000;

/** Tells the hub how far this agent has handled each channel (D2). */
export interface Acks {
  /** Everything in the channel up to seq is handled. Sent with the others of this turn. */
  add(channelId: string, seq: number): void;
  /** Sends what has gathered, if a session is open; else it waits for the next one. */
  flush(): void;
  /** A refusal with this request_id is about acks. */
  isAck(requestId: string): boolean;
  /** The hub could not take acks just now: these are sent again, a little later. */
  refused(positions: Iterable<[channelId: string, seq: number]>): void;
  /** Forgets what has not been sent: it is about another log, or the client is done. */
  clear(): void;
}

/** Cumulative acks, one request for all of an event-loop turn. */
export function createAcks(link: {
  readonly writable: boolean;
  send(request: ConnectRequest): void;
}): Acks {
  const waiting = new Map<string, number>();
  let scheduled: NodeJS.Immediate | undefined;
  let retry: NodeJS.Timeout | undefined;

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    while (waiting.size > 0 && link.writable) {
      const acks = [...waiting].slice(0, MAX_ACKS);
      for (const [channelId] of acks) waiting.delete(channelId);
      link.send({
        requestId: ACK_REQUEST_ID,
        acks: acks.map(([channelId, seq]) => ({ channelId, seq: BigInt(seq) })),
        heartbeat: false,
        setAside: [],
        frame: undefined,
      });
    }
  }

  function add(channelId: string, seq: number): void {
    waiting.set(channelId, Math.max(seq, waiting.get(channelId) ?? 0));
    scheduled ??= setImmediate(flush);
  }

  return {
    add,
    flush,
    isAck: (requestId) => requestId === ACK_REQUEST_ID,
    refused(positions) {
      if (retry !== undefined) return;
      const again = [...positions];
      retry = setTimeout(() => {
        retry = undefined;
        for (const [channelId, seq] of again) add(channelId, seq);
      }, RETRY_MS).unref();
    },
    clear() {
      clearImmediate(scheduled);
      clearTimeout(retry);
      scheduled = undefined;
      retry = undefined;
      waiting.clear();
    },
  };
}
