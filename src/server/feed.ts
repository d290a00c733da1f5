import type { Context } from "../hub/context.js";
import type { StoredEntry } from "../hub/entry.js";
import type { BehindChannel, EntryPage } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import type { Outbox } from "./outbox.js";
import { encodeDelivery } from "./responses.js";
import type { Turns } from "./turns.js";
import type { Window } from "./window.js";

/** A page of the log may fill an outbox, so a turn holds only a few. */
const READ_WEIGHT = 64;

/** Delivers an agent's entries to its receiving session: from the log first, then live (D1). */
export interface Feed {
  /** Starts delivering: first what lies after these positions. */
  start(behind: BehindChannel[]): void;
  /** An entry was stored just now. */
  offer(entry: StoredEntry): void;
  /** There is room in the outbox again. */
  resume(): void;
  /** Deliveries of a channel up to this seq no longer count as unacked (D5). */
  release(channelId: string, upToSeq: number): void;
  /** Delivers nothing further. */
  stop(): void;
}

/**
 * A channel is either live, and its new entries go straight into the outbox;
 * or it is behind, and its entries are read from the log, in order, until none
 * is left. It falls behind when the outbox or the window is full, so a slow
 * reader costs memory for one number a channel and no entry is dropped (D4, D5).
 *
 * There is no gap and no repeat where one becomes the other: jobs are told in
 * commit order, so a page that reached the end of the log is told before any
 * entry stored after it.
 * @param of.taken called when the transport has an entry's bytes
 * @param of.failed called when the log cannot be read
 */
export function createFeed(of: {
  agentId: string;
  outbox: Outbox;
  window: Window;
  turns: Turns;
  taken?: (entry: StoredEntry) => void;
  failed: (refusal: Refusal) => void;
}): Feed {
  const { agentId, outbox, window, turns } = of;
  /** Channels that are behind, with the last seq that was sent. They take turns. */
  const behind = new Map<string, number>();
  /** Those of them that wait for acks. */
  const held = new Map<string, number>();
  let state: "new" | "delivering" | "stopped" = "new";
  let reading = false;

  function push(entry: StoredEntry, replayed: boolean): boolean {
    const { taken } = of;
    const { channelId, seq } = entry;
    const bytes = encodeDelivery(entry, replayed);
    if (!window.fits(channelId, bytes.length) || !outbox.fits(bytes.length)) return false;
    window.sent(channelId, seq, bytes.length);
    outbox.push(bytes, taken && (() => taken(entry)));
    // failpoint: after-delivery
    return true;
  }

  /** The next channel that may be read on, and how much of it. */
  function nextPage():
    | { channelId: string; afterSeq: number; limit: number; maxBytes: number }
    | undefined {
    const free = outbox.room();
    if (free.items === 0) return undefined;
    for (const [channelId, afterSeq] of behind) {
      if (window.isFull(channelId)) {
        behind.delete(channelId);
        held.set(channelId, afterSeq);
        continue;
      }
      const { items, bytes } = window.room(channelId);
      if (items === 0) return undefined;
      const limit = Math.min(free.items, items);
      return { channelId, afterSeq, limit, maxBytes: Math.min(free.bytes, bytes) };
    }
    return undefined;
  }

  function readOn(): void {
    if (state !== "delivering" || reading) return;
    const next = nextPage();
    if (next === undefined) return;
    reading = true;
    turns.submit<EntryPage>({
      weight: READ_WEIGHT,
      run: ({ tx }: Context) => tx.entries({ ...next, notBy: agentId }),
      done(page) {
        reading = false;
        if (state !== "delivering") return;
        // failpoint: replay-page
        tellPage(next.channelId, next.afterSeq, page);
        readOn();
      },
      // Nothing can be skipped, so the session ends and the next one starts from the positions.
      failed: of.failed,
    });
  }

  function tellPage(channelId: string, afterSeq: number, page: EntryPage): void {
    let last = afterSeq;
    let hasMore = page.hasMore;
    for (const entry of page.entries) {
      if (!push(entry, true)) {
        hasMore = true;
        break;
      }
      last = entry.seq;
    }
    // What is left goes to the end of the line.
    behind.delete(channelId);
    if (hasMore) behind.set(channelId, last);
  }

  return {
    start(channels) {
      if (state !== "new") return;
      state = "delivering";
      for (const { channelId, position } of channels) behind.set(channelId, position);
      readOn();
    },
    offer(entry) {
      const { channelId, seq } = entry;
      if (state !== "delivering" || behind.has(channelId) || held.has(channelId)) return;
      if (push(entry, false)) return;
      behind.set(channelId, seq - 1);
      // What it lacked may have been the channel's own place, or been freed by now.
      readOn();
    },
    resume: readOn,
    release(channelId, upToSeq) {
      if (!window.release(channelId, upToSeq)) return;
      const last = held.get(channelId);
      if (last !== undefined && !window.isFull(channelId)) {
        held.delete(channelId);
        behind.set(channelId, last);
      }
      readOn();
    },
    stop() {
      state = "stopped";
      behind.clear();
      held.clear();
    },
  };
}
