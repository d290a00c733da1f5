import { setTimeout as delay } from "node:timers/promises";

/**
 * Loaded into a hub under proof: on SIGUSR2 it collects its garbage and writes to stderr what is
 * left, as `live_bytes=…`. That is what sessions hold on to; resident memory is that and whatever
 * the collector has not got round to.
 */

/** Buffers are freed by a thread of their own, after the collection that found them. */
const ROUNDS = 5;
const PAUSE_MS = 200;

process.on("SIGUSR2", async () => {
  let leastBytes = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.();
    await delay(PAUSE_MS);
    const { heapUsed, external } = process.memoryUsage();
    leastBytes = Math.min(leastBytes, heapUsed + external);
  }
  process.stderr.write(`live_bytes=${leastBytes}\n`);
});
