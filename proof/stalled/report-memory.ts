import { collectedMemory } from "./collected-memory.ts";

/**
 * Loaded into a hub under proof: on SIGUSR2 it collects its garbage and writes to stderr what is
 * left, as `live_bytes=…`. That is what sessions hold on to; resident memory is that and whatever
 * the collector has not got round to.
 */
process.on("SIGUSR2", async () => {
  const { liveBytes } = await collectedMemory();
  process.stderr.write(`live_bytes=${liveBytes}\n`);
});
