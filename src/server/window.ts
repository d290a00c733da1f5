import { type Budget, createBudget } from "./budget.js";

/** What a manual session may be sent before it acks (D5). */
export interface WindowLimits {
  /** Deliveries of one channel. */
  perChannel: number;
  /** Deliveries in all, and their encoded bytes. */
  total: number;
  bytes: number;
}

/** The deliveries of a session that count as unacked. */
export interface Window {
  /** The channel has as many as it may, so that it has to wait for acks. */
  isFull(channelId: string): boolean;
  /** What may be sent of a channel that is not full, as far as the session as a whole goes. */
  room(channelId: string): { items: number; bytes: number };
  /** Whether a delivery of this size may be sent. */
  fits(channelId: string, sizeBytes: number): boolean;
  /** A delivery was sent. */
  sent(channelId: string, seq: number, sizeBytes: number): void;
  /** Everything up to there was acked or set aside. @returns whether that freed a place */
  release(channelId: string, upToSeq: number): boolean;
}

/** A window that is always open: of sessions whose deliveries are not acked. */
export const OPEN_WINDOW: Window = {
  isFull: () => false,
  room: () => ({ items: Infinity, bytes: Infinity }),
  fits: () => true,
  sent: () => {},
  release: () => false,
};

interface Unacked {
  seq: number;
  sizeBytes: number;
}

/** A window with nothing sent. */
export function createWindow(limits: WindowLimits): Window {
  return new CountedWindow(limits);
}

/** What a session that is sent nothing does not need is made when it is. */
class CountedWindow implements Window {
  readonly #limits: WindowLimits;
  readonly #budget: Budget;
  #unacked: Map<string, Unacked[]> | undefined;
  /** Channels that have been full and have not enough room to be read on. */
  #full: Set<string> | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
    this.#budget = createBudget({ maxItems: limits.total, maxBytes: limits.bytes });
  }

  isFull(channelId: string): boolean {
    return this.#full?.has(channelId) ?? false;
  }

  room(channelId: string): { items: number; bytes: number } {
    const { items, bytes } = this.#budget.room();
    const taken = this.#unacked?.get(channelId)?.length ?? 0;
    return { items: Math.min(items, this.#limits.perChannel - taken), bytes };
  }

  fits(channelId: string, sizeBytes: number): boolean {
    return !this.isFull(channelId) && this.#budget.fits(sizeBytes);
  }

  sent(channelId: string, seq: number, sizeBytes: number): void {
    this.#budget.add(sizeBytes);
    this.#unacked ??= new Map();
    let sent = this.#unacked.get(channelId);
    if (sent === undefined) {
      sent = [];
      this.#unacked.set(channelId, sent);
    }
    sent.push({ seq, sizeBytes });
    if (sent.length < this.#limits.perChannel) return;
    this.#full ??= new Set();
    this.#full.add(channelId);
  }

  release(channelId: string, upToSeq: number): boolean {
    const sent = this.#unacked?.get(channelId);
    if (sent === undefined) return false;
    const covered = sent.findIndex(({ seq }) => seq > upToSeq);
    const freed = sent.splice(0, covered === -1 ? sent.length : covered);
    for (const { sizeBytes } of freed) this.#budget.remove(sizeBytes);
    // A channel is read on when a quarter is free: a page for each single ack would cost too much.
    const { perChannel } = this.#limits;
    if (sent.length <= perChannel - Math.ceil(perChannel / 4)) this.#full?.delete(channelId);
    if (sent.length === 0) this.#unacked?.delete(channelId);
    return freed.length > 0;
  }
}
