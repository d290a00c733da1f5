import { collectGarbage } from "./collect-garbage.ts";
import { giveBackFree } from "./give-back-free.ts";

/**
 * Loaded into a hub under proof: on SIGUSR2 it collects its garbage and writes to stderr what the
 * system counts as its memory then, as `stocked_bytes=… rss_bytes=…`: with what glibc keeps of freed
 * memory, and without.
 */
process.on("SIGUSR2", async () => {
  await collectGarbage();
  const stocked = process.memoryUsage.rss();
  giveBackFree();
  process.stderr.write(`stocked_bytes=${stocked} rss_bytes=${process.memoryUsage.rss()}\n`);
});
