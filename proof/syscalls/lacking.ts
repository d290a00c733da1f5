import { spawnSync } from "node:child_process";
import { TRACED_CALLS } from "./trace-events.ts";

/** strace as the proofs need it: bytes as hex, none left out, and not the parent of what it runs. */
export const STRACE = [
  ...["strace", "-D", "-f", "-xx", "-s", String(64 * 1024 * 1024)],
  ...["-e", `trace=${TRACED_CALLS.join()}`],
];

/** Ends the traced process as SIGKILL does, when it is about to do its n-th fsync. */
export function killAtFsync(count: number): string[] {
  return ["-e", `inject=fsync:signal=SIGKILL:when=${count}`];
}

/**
 * What this machine lacks for tracing a process: `strace`, or the right to (`ptrace`).
 * @returns undefined where it lacks nothing
 */
export function lackingForTraces(): string | undefined {
  const [command = "", ...args] = STRACE;
  if (spawnSync(command, ["-V"]).error !== undefined) return "strace";
  const tried = spawnSync(command, [...args, "-o", "/dev/null", process.execPath, "--version"]);
  return tried.status === 0 && !String(tried.stderr).includes("strace:") ? undefined : "ptrace";
}
