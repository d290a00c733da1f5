import type { Logger } from "pino";
import type { Written } from "../hub/context.js";
import { expireRequest, remainingMs } from "../hub/expire.js";
import type { Store } from "../hub/store.js";
import type { Turns } from "./turns.js";

/** Runs the timers of pending requests (C4). */
export interface Expiry {
  /** Takes the pending requests of an opened store over. */
  restore(store: Store): Promise<void>;
  /** Starts or clears a timer, as the entry asks for. */
  noticed(written: Written): void;
  /** Clears all timers; the requests stay pending in the store. */
  stop(): void;
}

/** How long to wait before an expiry that could not be stored is tried again. */
const RETRY_MS = 1_000;

/** Timers run on the monotonic clock, so that a clock that is set expires nothing (C4). */
export function createExpiry(of: { turns: Turns; nowMs: () => number; log: Logger }): Expiry {
  const timers = new Map<string, NodeJS.Timeout>();

  function start(channelId: string, delayMs: number): void {
    clear(channelId);
    timers.set(
      channelId,
      setTimeout(() => expire(channelId), delayMs),
    );
  }

  function clear(channelId: string): void {
    clearTimeout(timers.get(channelId));
    timers.delete(channelId);
  }

  function expire(channelId: string): void {
    of.turns.submit({
      run: (context) => expireRequest(context, channelId),
      done: () => clear(channelId),
      failed: () => {
        of.log.warn({ channelId }, "a request could not be expired, trying again");
        if (timers.has(channelId)) start(channelId, RETRY_MS);
      },
    });
  }

  return {
    async restore(store) {
      const pending = await store.transaction((tx) => tx.allPending());
      for (const channel of pending) start(channel.channelId, remainingMs(channel, of.nowMs()));
    },
    noticed({ entry, channel }) {
      if (entry.kind === "chatRequest") start(channel.channelId, channel.timeoutMs);
      else if (entry.kind !== "chatMessage") clear(channel.channelId);
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
