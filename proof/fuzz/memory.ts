import { fileURLToPath } from "node:url";
import type { HubProcess } from "../support/hub-process.ts";

const MIB = 2 ** 20;

/**
 * Flags of Node.js for a hub whose memory will be asked for. Its settings are those that everybody has:
 * glibc keeps what was once in use at the same time, and gives it back when it is asked to.
 */
export const MEMORY_FLAGS = [
  "--expose-gc",
  "--import",
  fileURLToPath(new URL("report-resident.ts", import.meta.url)),
];

/** What a hub has of the machine's memory once its garbage is gone, in MiB. */
export interface Resident {
  /** What it uses: without what was freed and not given back. */
  mib: number;
  /** What the system counts: with that. How much it is is chance, and all of it is free for use again. */
  stockedMib: number;
}

/** How long it may take until all that is over is garbage. */
const PATIENCE_MS = 20_000;

/** The least that is seen within 20 s, or the first whose `mib` is as little as wanted. */
export async function residentMib(hub: HubProcess, wantedMib = 0): Promise<Resident> {
  const untilMs = performance.now() + PATIENCE_MS;
  // What is counted first is counted before anything was given back.
  const least = await askMib(hub);
  let unchanged = 0;
  while (least.mib > wantedMib && performance.now() < untilMs && unchanged < UNCHANGED_LOOKS) {
    const { mib } = await askMib(hub);
    unchanged = mib > least.mib - 1 && wantedMib === 0 ? unchanged + 1 : 0;
    least.mib = Math.min(least.mib, mib);
  }
  return least;
}

/** So often the same is all that it will be, where nothing less is wanted. */
const UNCHANGED_LOOKS = 3;

async function askMib({ child, ended }: HubProcess): Promise<Resident> {
  const { stderr } = child;
  if (stderr === null) throw new Error("the hub's stderr is not heard");
  const heard = Promise.withResolvers<Resident>();
  let text = "";
  const hear = (more: unknown) => {
    text += String(more);
    const [, stocked, rss] = /stocked_bytes=(\d+) rss_bytes=(\d+)\n/.exec(text) ?? [];
    if (rss === undefined) return;
    heard.resolve({ mib: Number(rss) / MIB, stockedMib: Number(stocked) / MIB });
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
