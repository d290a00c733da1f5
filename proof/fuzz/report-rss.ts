import { collectGarbage } from "./collect-garbage.ts";

/**
 * Loaded into a server: on SIGUSR2 it collects its garbage and writes to stderr what the
 * system counts as its memory then, as `rss_bytes=…`.
 */
process.on("SIGUSR2", async () => {
  await collectGarbage();
  process.stderr.write(`rss_bytes=${process.memoryUsage.rss()}\n`);
});
