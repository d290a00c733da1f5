import { setTimeout as delay } from "node:timers/promises";

/** Buffers are freed by a thread of their own, after the collection that found them. */
const ROUNDS = 5;
const PAUSE_MS = 200;

/** What a process uses once its garbage is collected, in bytes; run Node.js with --expose-gc. */
export async function collectedMemory(): Promise<{ liveBytes: number; rssBytes: number }> {
  if (globalThis.gc === undefined) throw new Error("garbage cannot be collected: use --expose-gc");
  let [liveBytes, rssBytes] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc();
    await delay(PAUSE_MS);
    const { heapUsed, external, rss } = process.memoryUsage();
    liveBytes = Math.min(liveBytes, heapUsed + external);
    rssBytes = Math.min(rssBytes, rss);
  }
  return { liveBytes, rssBytes };
}
