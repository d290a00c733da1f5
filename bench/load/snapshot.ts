import { cpuTimeUs } from "../measure/process-figures.ts";

/** The time, and the CPU time that the server and this process have used until now. */
export interface Snapshot {
  atMs: number;
  /** undefined where the system does not tell. */
  serverCpuUs: number | undefined;
  ownCpuUs: number;
}

/** @param serverPid the server's process */
export function snapshot(serverPid: number): Snapshot {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), serverCpuUs: cpuTimeUs(serverPid), ownCpuUs: user + system };
}

/** What lies between two figures, where there are any. */
export function difference(later?: number, earlier?: number): number | undefined {
  return later === undefined || earlier === undefined ? undefined : later - earlier;
}
