import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { spreadOf } from "./statistics.ts";

const PAGE_BYTES = 4_096;
const PAGES = 512;
const SYNCS = 100;

/**
 * How long a sync of the disk takes: of one page written into a file that has its size already, as
 * SQLite's log does it most of the time.
 * @returns the median of 100, in milliseconds
 */
export function medianSyncMs(folder: string): number {
  const path = join(folder, "sync-time");
  const file = openSync(path, "w");
  const page = Buffer.alloc(PAGE_BYTES, 1);
  for (let at = 0; at < PAGES; at += 1) writeSync(file, page);
  fdatasyncSync(file);
  const times = Array.from({ length: SYNCS }, (_, index) => {
    const begunMs = performance.now();
    writeSync(file, page, 0, PAGE_BYTES, (index % PAGES) * PAGE_BYTES);
    fdatasyncSync(file);
    return performance.now() - begunMs;
  });
  closeSync(file);
  rmSync(path);
  return spreadOf(times).median;
}
