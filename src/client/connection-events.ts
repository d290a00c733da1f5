import type { ConnectionEvent } from "./incoming.js";

/** A reader who is slow misses the oldest of more than this many changes, never the newest. */
const MAX_WAITING_EVENTS = 64;

/** Tells any number of readers how the connection comes and goes. */
export interface ConnectionEvents {
  publish(event: ConnectionEvent): void;
  /** The state now, then every change; ends after "closed" or "superseded". */
  subscribe(): AsyncGenerator<ConnectionEvent, void, undefined>;
}

interface Reader {
  waiting: ConnectionEvent[];
  wake: (() => void) | undefined;
}

/** Nothing is told before the first connect(). */
export function createConnectionEvents(): ConnectionEvents {
  const readers = new Set<Reader>();
  let current: ConnectionEvent | undefined;

  async function* read(reader: Reader): AsyncGenerator<ConnectionEvent, void, undefined> {
    try {
      while (true) {
        const event = reader.waiting.shift();
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
          continue;
        }
        yield event;
        if (event.state === "closed" || event.state === "superseded") return;
      }
    } finally {
      readers.delete(reader);
    }
  }

  return {
    publish(event) {
      current = event;
      for (const reader of readers) {
        reader.waiting.push(event);
        if (reader.waiting.length > MAX_WAITING_EVENTS) reader.waiting.shift();
        reader.wake?.();
        reader.wake = undefined;
      }
    },
    subscribe() {
      // Before the first connect() there is no state to tell: the reader waits for one.
      const reader: Reader = { waiting: current === undefined ? [] : [current], wake: undefined };
      readers.add(reader);
      return read(reader);
    },
  };
}
