/**
 * Loaded into a hub under proof: on SIGUSR2 it collects its garbage and writes to stderr what the
 * system counts as its memory then, as `rss_bytes=…`.
 */

/** This kind of collection also gives back the pages that V8 keeps for what may come next. */
const collect = globalThis.gc as ((options: { type: string; flavor: string }) => void) | undefined;
const ALL = { type: "major", flavor: "last-resort" };

/** V8 and the threads that free buffers give memory back some time after it is free. */
const PAUSE_MS = 500;

process.on("SIGUSR2", () => {
  collect?.(ALL);
  setTimeout(() => {
    collect?.(ALL);
    process.stderr.write(`rss_bytes=${process.memoryUsage.rss()}\n`);
  }, PAUSE_MS);
});
