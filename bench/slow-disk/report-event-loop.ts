import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * Loaded into a hub under measurement: on SIGUSR2 it writes to stderr how late the event loop was in
 * 99 of 100 cases since the last time, as `loop_p99_ms=…`, and begins anew.
 */
const RESOLUTION_MS = 1;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

process.on("SIGUSR2", () => {
  // The time between two looks is in it.
  const p99Ms = delays.percentile(99) / 1e6 - RESOLUTION_MS;
  delays.reset();
  process.stderr.write(`loop_p99_ms=${p99Ms.toFixed(3)}\n`);
});
