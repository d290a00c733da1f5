import { readFileSync } from "node:fs";

/** The largest resident memory a process has had so far, in MiB, as the kernel counts it. */
export function peakMemoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`the kernel does not say the peak memory of ${pid}`);
  return Number(kib) / 1024;
}
