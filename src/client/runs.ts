import type { Delivery } from "./delivery.js";
import type { Line } from "./line.js";
import type { Listener, Outcome } from "./listeners.js";

/** The entries that somebody works on. */
export interface Runs {
  /** How many entries, and their bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** Hands the line's next entry to its listener; over is told what became of it. */
  begin(line: Line, delivery: Delivery, listener: Listener, over: (outcome: Outcome) => void): void;
  /** Resolves when none runs that is to be waited for. */
  idle(): Promise<void>;
}

export function createRuns(): Runs {
  const running = new Set<Promise<unknown>>();
  let entries = 0;
  let bytes = 0;
  return {
    get entries() {
      return entries;
    },
    get bytes() {
      return bytes;
    },
    begin(line, delivery, listener, over) {
      const { lane } = listener;
      lane.active += 1;
      entries += 1;
      bytes += delivery.bytes;
      line.running = delivery;
      line.acked = () => listener.acked(delivery);
      // Before it starts: a handler may disconnect the client at once, which waits for it.
      const { promise: run, resolve: finished } = Promise.withResolvers<void>();
      if (listener.waitedFor) running.add(run);
      void listener.handle(delivery).then((outcome) => {
        running.delete(run);
        lane.active -= 1;
        entries -= 1;
        bytes -= delivery.bytes;
        line.running = undefined;
        over(outcome);
        finished();
      });
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
