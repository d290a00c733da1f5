import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Syncs a file's contents, or a folder's names, to disk.
 * @param flags `r+` for a file where the system may be one that syncs only what may be written
 */
export function syncPath(path: string, flags: "r" | "r+" = "r"): void {
  const fd = openSync(path, flags);
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
