import Database from "better-sqlite3";
import { StorageError, type StorageTrouble } from "../../hub/store.js";

/** SQLite's name of an error, such as SQLITE_BUSY; empty where it is none of SQLite's. */
export function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : "";
}

/**
 * What a caller of the store is told of an engine's error. A broken constraint
 * is the caller's fault and becomes a plain Error, since trying again would not
 * help; anything else of SQLite's becomes a StorageError. Other errors are
 * passed on as they are.
 */
export function translate(error: unknown, doing: string): unknown {
  const code = sqliteCode(error);
  if (!(error instanceof Error) || code === "") return error;
  const message = `the database could not ${doing}: ${error.message} (${code})`;
  return code.startsWith("SQLITE_CONSTRAINT")
    ? new Error(message, { cause: error })
    : new StorageError(message, { cause: error, kind: troubleOf(code) });
}

/** After a failed sync nobody knows what is on the disk: the next one may succeed without it. */
const FATAL = /^SQLITE_(IOERR_(DIR_)?FSYNC|CORRUPT|NOTADB)/;

function troubleOf(code: string): StorageTrouble {
  if (FATAL.test(code)) return "fatal";
  return code === "SQLITE_FULL" ? "full" : "unavailable";
}
