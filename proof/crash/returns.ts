import type { LoadWord } from "./load-words.ts";

/** Who has a session, and when everybody came back after each restart. */
export interface Returns {
  hear(word: LoadWord): void;
  /** The hub is gone, and everybody's session with it. */
  gone(): void;
  /** Resolves when so many have a session. */
  all(clients: number): Promise<void>;
  /**
   * When sessions were gained after the hub had gone, in milliseconds after the first of them;
   * all restarts together.
   */
  returnsMs(): number[];
  /** How long the hub told clients to stay away, in milliseconds; all restarts together. */
  plannedMs(): number[];
}

/** Hears the words of a load. */
export function watchReturns(): Returns {
  const connected = new Set<string>();
  const planned: number[] = [];
  /** Of each restart. */
  const returns: number[][] = [];
  let waiting: { clients: number; resolve: () => void }[] = [];
  return {
    hear(word) {
      if (word.word === "disconnected") {
        connected.delete(word.agent);
        if (word.reason === "SHUTTING_DOWN") planned.push(word.retryInMs);
      } else if (word.word === "connected") {
        connected.add(word.agent);
        returns.at(-1)?.push(word.atMs);
        waiting = waiting.filter(({ clients, resolve }) => {
          if (connected.size >= clients) resolve();
          return connected.size < clients;
        });
      }
    },
    gone() {
      connected.clear();
      returns.push([]);
    },
    all(clients) {
      if (connected.size >= clients) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ clients, resolve }));
    },
    returnsMs: () =>
      returns.flatMap((times) => {
        const firstMs = Math.min(...times);
        return times.map((timeMs) => timeMs - firstMs);
      }),
    plannedMs: () => planned,
  };
}
