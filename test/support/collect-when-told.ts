/**
 * Loaded into a hub: on SIGUSR2 it stands still until the file that COLLECT_WHEN names is there,
 * and collects its garbage in its next round, after what has come over its connections meanwhile.
 */
import { existsSync } from "node:fs";

const { COLLECT_WHEN = "" } = process.env;
let waited = false;
process.on("SIGUSR2", () => {
  if (waited) {
    globalThis.gc?.();
    process.stderr.write("collected\n");
    return;
  }
  waited = true;
  process.stderr.write("waiting\n");
  while (!existsSync(COLLECT_WHEN));
  // Node.js looks at its connections first, and then at signals.
  process.kill(process.pid, "SIGUSR2");
});
