import { readFileSync } from "node:fs";
import { newTable } from "./new-table.ts";

/** What a function took by itself, without what it called. */
export interface SelfTime {
  /** Its name, and where it is. */
  name: string;
  place: string;
  us: number;
}

/** The file that `node --cpu-prof` writes, as far as it is needed. */
interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  samples: number[];
  timeDeltas: number[];
}

/** Waiting is no work. */
const IDLE = "(idle)";

/**
 * Self times of all functions of a profile, the largest first.
 * @param lastMs how much of its end counts: what is before is the start of the process
 */
export function readProfile(path: string, lastMs: number): SelfTime[] {
  const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(readFileSync(path, "utf8"));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, SelfTime>();
  let leftUs = timeDeltas.reduce((sum, us) => sum + us, 0);
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    leftUs -= timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === IDLE || leftUs > lastMs * 1000) continue;
    const { functionName, url, lineNumber } = frame;
    const name = functionName || "(anonymous)";
    const place = url === "" ? "" : `${shortened(url)}:${lineNumber + 1}`;
    const key = `${name} ${place}`;
    const time = times.get(key) ?? { name, place, us: 0 };
    time.us += timeDeltas[index] ?? 0;
    times.set(key, time);
  }
  return [...times.values()].toSorted((one, other) => other.us - one.us);
}

/** From the package, or the part of this repository, on. */
function shortened(url: string): string {
  return url.replace(/^.*?\/(?=node_modules\/|dist\/)/, "").replace(/^.*node_modules\//, "");
}

/** The functions that took longest, of the time in which the process did something. */
export function profileTable(times: readonly SelfTime[], top: number): string {
  const total = times.reduce((sum, { us }) => sum + us, 0);
  const table = newTable(["self", "ms", "function", "where"], "rrll");
  for (const { name, place, us } of times.slice(0, top)) {
    const share = `${((us / total) * 100).toFixed(1)} %`;
    table.push([share, (us / 1000).toFixed(0), name, place]);
  }
  return table.toString();
}
