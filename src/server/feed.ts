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

/** What a feed works with. */
interface FeedParts {
  agentId: string;
  outbox: Outbox;
  window: Window;
  turns: Turns;
  /** Called when the transport has an entry's bytes. */
  taken?: (entry: StoredEntry) => void;
  /** Called when the log cannot be read. */
  failed: (refusal: Refusal) => void;
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
 */
export function createFeed(of: FeedParts): Feed {
  return new LogFeed(of);
}

class LogFeed implements Feed {
  readonly #of: FeedParts;
  /** Channels that are behind, with the last seq that was sent. They take turns. */
  #behind: Map<string, number> | undefined;
  /** Those of them that wait for acks. */
  #held: Map<string, number> | undefined;
  #state: "new" | "delivering" | "stopped" = "new";
  #reading = false;

  constructor(of: FeedParts) {
    this.#of = of;
  }

  start(channels: BehindChannel[]): void {
    if (this.#state !== "new") return;
    this.#state = "delivering";
    for (const { channelId, position } of channels) this.#fallBehind(channelId, position);
    this.resume();
  }

  offer(entry: StoredEntry): void {
    const { channelId, seq } = entry;
    if (this.#state !== "delivering" || this.#isLate(channelId)) return;
    if (this.#push(entry, false)) return;
    this.#fallBehind(channelId, seq - 1);
    // What it lacked may have been the channel's own place, or been freed by now.
    this.resume();
  }

  /** Reads on. */
  resume(): void {
    if (this.#state !== "delivering" || this.#reading) return;
    const next = this.#nextPage();
    if (next === undefined) return;
    this.#reading = true;
    const { turns, agentId, failed } = this.#of;
    turns.submit<EntryPage>({
      weight: READ_WEIGHT,
      run: ({ tx }: Context) => tx.entries({ ...next, notBy: agentId }),
      done: (page) => {
        this.#reading = false;
        if (this.#state !== "delivering") return;
        // failpoint: replay-page
        this.#tellPage(next.channelId, next.afterSeq, page);
        this.resume();
      },
      // Nothing can be skipped, so the session ends and the next one starts from the positions.
      failed,
    });
  }

  release(channelId: string, upToSeq: number): void {
    const { window } = this.#of;
    if (!window.release(channelId, upToSeq)) return;
    const last = this.#held?.get(channelId);
    if (last !== undefined && !window.isFull(channelId)) {
      this.#held?.delete(channelId);
      this.#fallBehind(channelId, last);
    }
    this.resume();
  }

  stop(): void {
    this.#state = "stopped";
    this.#behind = undefined;
    this.#held = undefined;
  }

  #isLate(channelId: string): boolean {
    return this.#behind?.has(channelId) === true || this.#held?.has(channelId) === true;
  }

  #fallBehind(channelId: string, lastSeq: number): void {
    this.#behind ??= new Map();
    this.#behind.set(channelId, lastSeq);
  }

  #push(entry: StoredEntry, replayed: boolean): boolean {
    const { outbox, window, taken } = this.#of;
    const { channelId, seq } = entry;
    const bytes = encodeDelivery(entry, replayed);
    if (!window.fits(channelId, bytes.length) || !outbox.fits(bytes.length)) return false;
    window.sent(channelId, seq, bytes.length);
    outbox.push(bytes, taken && (() => taken(entry)));
    // failpoint: after-delivery
    return true;
  }

  /** The next channel that may be read on, and how much of it. */
  #nextPage():
    | { channelId: string; afterSeq: number; limit: number; maxBytes: number }
    | undefined {
    const { outbox, window } = this.#of;
    const free = outbox.room();
    if (free.items === 0) return undefined;
    for (const [channelId, afterSeq] of this.#behind ?? []) {
      if (window.isFull(channelId)) {
        this.#behind?.delete(channelId);
        this.#held ??= new Map();
        this.#held.set(channelId, afterSeq);
        continue;
      }
      const { items, bytes } = window.room(channelId);
      if (items === 0) return undefined;
      const limit = Math.min(free.items, items);
      return { channelId, afterSeq, limit, maxBytes: Math.min(free.bytes, bytes) };
    }
    return undefined;
  }

  #tellPage(channelId: string, afterSeq: number, page: EntryPage): void {
    let last = afterSeq;
    let hasMore = page.hasMore;
    for (const entry of page.entries) {
      if (!this.#push(entry, true)) {
        hasMore = true;
        break;
      }
      last = entry.seq;
    }
    // What is left goes to the end of the line.
    this.#behind?.delete(channelId);
    if (hasMore) this.#fallBehind(channelId, last);
  }
}
