import { createBudget } from "./budget.js";

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
  const budget = createBudget({ maxItems: limits.total, maxBytes: limits.bytes });
  const unacked = new Map<string, Unacked[]>();
  /** Channels that have been full and have not enough room to be read on. */
  const full = new Set<string>();
  /** A channel is read on when a quarter is free: a page for each single ack would cost too much. */
  const relaxed = limits.perChannel - Math.ceil(limits.perChannel / 4);

  return {
    isFull: (channelId) => full.has(channelId),
    room(channelId) {
      const { items, bytes } = budget.room();
      const taken = unacked.get(channelId)?.length ?? 0;
      return { items: Math.min(items, limits.perChannel - taken), bytes };
    },
    fits: (channelId, sizeBytes) => !full.has(channelId) && budget.fits(sizeBytes),
    sent(channelId, seq, sizeBytes) {
      budget.add(sizeBytes);
      let sent = unacked.get(channelId);
      if (sent === undefined) {
        sent = [];
        unacked.set(channelId, sent);
      }
      sent.push({ seq, sizeBytes });
      if (sent.length >= limits.perChannel) full.add(channelId);
    },
    release(channelId, upToSeq) {
      const sent = unacked.get(channelId);
      if (sent === undefined) return false;
      const covered = sent.findIndex(({ seq }) => seq > upToSeq);
      const freed = sent.splice(0, covered === -1 ? sent.length : covered);
      for (const { sizeBytes } of freed) budget.remove(sizeBytes);
      if (sent.length <= relaxed) full.delete(channelId);
      if (sent.length === 0) unacked.delete(channelId);
      return freed.length > 0;
    },
  };
}
