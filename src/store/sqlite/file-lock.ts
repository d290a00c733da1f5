import Database from "better-sqlite3";
import { sqliteCode } from "./engine-errors.js";
import { StoreOpenError } from "./store-open-error.js";

/**
 * Keeps a second hub off a database file: each would deliver only what came through itself, and
 * entries of the other would be taken for handled. The lock is SQLite's own, on an empty file
 * beside the database, so that administration can still open the database itself; the system
 * lets go of it when the process ends, however it ends.
 * @returns lets go of it; the empty file stays, because removing it would let two others in
 * @throws StoreOpenError when another process holds it
 */
export function lockFile(path: string): () => void {
  const lock = new Database(`${path}.lock`, { timeout: 0 });
  try {
    lock.pragma("journal_mode = OFF");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!sqliteCode(error).startsWith("SQLITE_BUSY")) throw error;
    throw new StoreOpenError(`${path} is served by another hub; stop that one first`, {
      cause: error,
    });
  }
  return () => lock.close();
}
