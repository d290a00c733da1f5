import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HubProcess } from "../support/hub-process.ts";

const MIB = 2 ** 20;

/** Flags of Node.js for a hub whose live memory will be asked for. */
export const MEMORY_FLAGS = [
  "--expose-gc",
  "--import",
  fileURLToPath(new URL("report-memory.ts", import.meta.url)),
];

/** The largest resident memory a process has had so far, in MiB, as the kernel counts it. */
export function peakMemoryMib({ child: { pid } }: HubProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`the kernel does not say the peak memory of ${pid}`);
  return Number(kib) / 1024;
}

/** What a hub holds on to, in MiB: its heap and its buffers, without garbage. */
export async function liveMemoryMib({ child }: HubProcess): Promise<number> {
  let text = "";
  child.kill("SIGUSR2");
  for (;;) {
    const [more] = await once(child.stderr ?? child, "data");
    text += String(more);
    const bytes = /live_bytes=(\d+)\n/.exec(text)?.[1];
    if (bytes !== undefined) return Number(bytes) / MIB;
  }
}
