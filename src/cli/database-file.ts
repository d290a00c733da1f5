import { CommandError, EXIT, UsageError } from "./exit.js";
import { printable } from "./printable.js";

/** Settings of the commands that work on a database file. */
export const DB_SETTINGS = ["db", "json"] as const;

/** The file that --db names. Throws a UsageError where it is none. */
export function databaseFile(db: string): string {
  if (db === ":memory:") {
    throw new UsageError("--db is :memory:, which is gone with its hub: name a file.");
  }
  return db;
}

/** Runs work on a database; what goes wrong with the file or the disk is one sentence. */
export async function onDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(printable(message), EXIT.failed, { cause });
  }
}

/** Bytes as people read them, such as `1.5 MiB`. */
export function sizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** `1 entry`, `2 entries`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
