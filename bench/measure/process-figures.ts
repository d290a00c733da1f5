import { existsSync, readFileSync } from "node:fs";

/** Ticks of /proc in a second; the same on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/**
 * CPU time that a process has used, user and system, of all its threads.
 * @returns microseconds, in steps of 10,000; undefined where the system has no /proc
 */
export function cpuTimeUs(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  // The name of the program stands in parentheses and may hold anything.
  const fields = readFileSync(file, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}
