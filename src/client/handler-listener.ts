import { setTimeout as delay } from "node:timers/promises";
import { createBackoff } from "./backoff.js";
import type { Delivery } from "./delivery.js";
import type { HandlerFailure, Handlers, IncomingEntry, IncomingKind } from "./incoming.js";
import type { Lane, Listener } from "./listeners.js";

/** How often a handler is tried with one entry, in all. */
const MAX_ATTEMPTS = 5;

const KINDS: readonly IncomingKind[] = ["message", "request", "accept", "reject", "end"];

/**
 * A listener that calls handlers. One that throws is called again with the same entry, after
 * up to 100 ms, 200 ms, … 5 s; after five attempts the entry has failed.
 * @param of.isHandled the entry was acked by hand: then it is not tried again
 */
export function handlerListener(of: {
  lane: Lane;
  handlers: Handlers;
  convert: (delivery: Delivery) => IncomingEntry;
  isHandled: (delivery: Delivery) => boolean;
  onFailed: (failure: HandlerFailure) => void;
  /** Aborted when the client disconnects: then nothing is tried again. */
  leaving: () => AbortSignal;
}): Listener {
  const { lane, handlers, convert, isHandled, onFailed, leaving } = of;
  return {
    lane,
    waitedFor: true,
    // The next entry of the channel still waits until the handler has finished.
    acked: () => {},
    async handle(delivery) {
      const { channelId, seq } = delivery;
      const entry = convert(delivery);
      const backoff = createBackoff({ initialMs: 100, maxMs: 5_000 });
      for (let attempt = 1; ; attempt += 1) {
        try {
          await callHandler(handlers, entry);
          return "handled";
        } catch (error) {
          if (isHandled(delivery)) {
            onFailed({ channelId, seq, entry, error, stopped: false });
            return "handled";
          }
          if (attempt === MAX_ATTEMPTS) {
            onFailed({ channelId, seq, entry, error, stopped: true });
            return "failed";
          }
        }
        const signal = leaving();
        await delay(backoff.nextDelayMs(), undefined, { signal }).catch(() => {});
        if (signal.aborted) return "left";
      }
    },
  };
}

/** The kinds that have a handler. */
export function kindsOf(handlers: Handlers): IncomingKind[] {
  return KINDS.filter((kind) => handlers[kind] !== undefined);
}

function callHandler(handlers: Handlers, entry: IncomingEntry): void | Promise<void> | undefined {
  switch (entry.kind) {
    case "message":
      return handlers.message?.(entry);
    case "request":
      return handlers.request?.(entry);
    case "accept":
      return handlers.accept?.(entry);
    case "reject":
      return handlers.reject?.(entry);
    case "end":
      return handlers.end?.(entry);
    default:
      return entry satisfies never;
  }
}
