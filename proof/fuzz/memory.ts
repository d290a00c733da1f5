import { fileURLToPath } from "node:url";
import type { HubProcess } from "../support/hub-process.ts";

const MIB = 2 ** 20;

/** Flags of Node.js for a hub whose memory will be asked for. */
export const MEMORY_FLAGS = [
  "--expose-gc",
  "--import",
  fileURLToPath(new URL("report-rss.ts", import.meta.url)),
];

/**
 * Variables for such a hub: with them glibc gives back what was freed, as far as it can. Without, it
 * keeps what was once in use at the same time, and how much that was is chance: after 20 s of
 * attacks 7 MiB were in use where 27 were kept (`malloc_stats`), and all of that was free for use again.
 */
export const MEMORY_SETTINGS = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_TOP_PAD_: "4096",
  MALLOC_TRIM_THRESHOLD_: "4096",
  // Larger ones are mapped by themselves, and unmapped when they are freed, wherever they lie.
  MALLOC_MMAP_THRESHOLD_: "8192",
  MALLOC_MMAP_MAX_: "50000",
};

/** How long free memory may take to be given back to the system. */
const PATIENCE_MS = 20_000;

/**
 * What a hub has of the machine's memory once its garbage is gone, in MiB: the least that is seen
 * within 20 s, or the first that is as little as wanted.
 */
export async function residentMib(hub: HubProcess, wantedMib = 0): Promise<number> {
  const untilMs = performance.now() + PATIENCE_MS;
  let leastMib = Infinity;
  let unchanged = 0;
  while (leastMib > wantedMib && performance.now() < untilMs && unchanged < UNCHANGED_LOOKS) {
    const mib = await askMib(hub);
    unchanged = mib > leastMib - 1 && wantedMib === 0 ? unchanged + 1 : 0;
    leastMib = Math.min(leastMib, mib);
  }
  return leastMib;
}

/** So often the same is all that it will be, where nothing less is wanted. */
const UNCHANGED_LOOKS = 3;

async function askMib({ child, ended }: HubProcess): Promise<number> {
  const { stderr } = child;
  if (stderr === null) throw new Error("the hub's stderr is not heard");
  const heard = Promise.withResolvers<number>();
  let text = "";
  const hear = (more: unknown) => {
    text += String(more);
    const bytes = /rss_bytes=(\d+)\n/.exec(text)?.[1];
    if (bytes !== undefined) heard.resolve(Number(bytes) / MIB);
  };
  // It may have ended long ago.
  void ended.then(() => heard.reject(new Error("the hub ended before it said its memory")));
  stderr.on("data", hear);
  child.kill("SIGUSR2");
  try {
    return await heard.promise;
  } finally {
    stderr.off("data", hear);
  }
}
