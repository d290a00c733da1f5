import { chmodSync, existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import Database from "better-sqlite3";
import type { Store } from "../../hub/store.js";
import { sqliteCode } from "./engine-errors.js";
import { checkContents, checkFile, damaged } from "./file-checks.js";
import { lockFile } from "./file-lock.js";
import { prepareDatabase } from "./prepare-database.js";
import { sqliteStore } from "./sqlite-store.js";
import { StoreOpenError } from "./store-open-error.js";

export { StoreOpenError };

export interface SqliteOptions {
  /** The database file, created where it is missing; `:memory:` keeps everything in memory only. */
  path: string;
  /**
   * How long opening waits, blocking the process, for another process that is writing; a
   * transaction waits 100 ms at most. Default 1000.
   */
  busyTimeoutMs?: number;
  /**
   * How large the write-ahead log may become while another process keeps it from being started
   * over; beyond, nothing is written until that one is gone. Default 1 GiB.
   */
  maxLogBytes?: number;
}

/** An open store waits no longer than this for another writer: the whole process stands still. */
const MAX_RUNNING_BUSY_MS = 100;

/** The files this process has open. */
const openFiles = new Set<string>();

/**
 * Opens the embedded store: one SQLite file, in WAL mode, synced at every commit (M1).
 * @returns the store, to be closed by the caller; one for `:memory:` says `durable: false`
 * @throws StoreOpenError when the file is a newer hub's, another program's, damaged, or cannot be
 *   read and written; it is not changed then
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { busyTimeoutMs = 1000, maxLogBytes } = options;
  if (options.path === ":memory:") {
    const db = new Database(":memory:");
    const epoch = await prepareDatabase(db, ":memory:");
    return sqliteStore(db, { epoch, path: undefined, maxLogBytes, close: () => db.close() });
  }
  if (options.path.trim() === "") {
    throw new StoreOpenError("the database path is empty; name a file, or :memory:");
  }
  // Resolved, so that no path has a meaning of its own to SQLite.
  const path = realPath(resolve(options.path.trim()));
  // Closing any handle of a file drops the locks that the process holds on it
  // (https://www.sqlite.org/howtocorrupt.html, 2.2), so that looking at an open file would harm it.
  if (openFiles.has(path)) {
    throw new StoreOpenError(`${path} is open in this process already; close that store first`);
  }
  openFiles.add(path);
  let db: Database.Database | undefined;
  let unlock: (() => void) | undefined;
  const close = () => {
    openFiles.delete(path);
    db?.close();
    unlock?.();
  };
  try {
    const isThere = checkFile(path);
    if (isThere) checkContents(path, busyTimeoutMs);
    unlock = lockFile(path);
    db = new Database(path, { timeout: busyTimeoutMs });
    // Chats are not for everybody; its log gets the same rights from SQLite.
    if (!isThere && existsSync(path)) chmodSync(path, 0o600);
    const epoch = await prepareDatabase(db, path);
    db.pragma(`busy_timeout = ${Math.min(busyTimeoutMs, MAX_RUNNING_BUSY_MS)}`);
    return sqliteStore(db, { epoch, path, maxLogBytes, close });
  } catch (error) {
    close();
    throw explain(error, path);
  }
}

/** One file has one name here, whatever links lead to it; a missing file keeps its own. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** SQLite's errors while opening, as sentences. */
function explain(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (!(error instanceof Error) || code === "") return error;
  const because = `${error.message}, ${code}`;
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB")) {
    return damaged(path, because, error);
  }
  if (code.startsWith("SQLITE_BUSY")) {
    return new StoreOpenError(`${path} is in use by another process (${because}); stop it first`, {
      cause: error,
    });
  }
  // The latter where the memory that processes share beside the file finds no room.
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") {
    return new StoreOpenError(
      `${path} cannot be opened: there is no room on its disk (${because}). ` +
        "Make room and start it again",
      { cause: error },
    );
  }
  return new StoreOpenError(
    `${path} cannot be opened for reading and writing (${because}); ` +
      "check the rights to it and its folder, and the space on the disk",
    { cause: error },
  );
}
