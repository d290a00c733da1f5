import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/** Syncs a file's contents, or a folder's names, to disk. */
export function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Renames within a folder, and returns when a power cut can no longer undo it. */
export function renameForGood(from: string, to: string): void {
  renameSync(from, to);
  syncPath(dirname(to));
}
