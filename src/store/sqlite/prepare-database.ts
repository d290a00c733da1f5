import { randomUUID } from "node:crypto";
import type { Database } from "better-sqlite3";
import { damaged } from "./file-checks.js";
import { migrate } from "./migrations.js";
import { StoreOpenError } from "./store-open-error.js";
import { syncPath } from "./synced-files.js";

/** What `PRAGMA synchronous` answers where every commit is synced to disk. */
const FULL = 2;
const CACHE_KIB = 32 * 1024;
const WAL_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Gives a connection its settings and its database the newest schema.
 * @param path the file's, for sentences; `:memory:` for a database in memory
 * @returns the database's epoch (D7), made here where it is new
 * @throws StoreOpenError when commits would not be durable (M1), or the schema is a newer hub's
 */
export async function prepareDatabase(db: Database, path: string): Promise<string> {
  // Not left to the default, which this SQLite lowers to NORMAL in WAL mode.
  db.pragma("synchronous = FULL");
  db.pragma("foreign_keys = ON");
  db.pragma("mmap_size = 0");
  db.pragma(`cache_size = ${-CACHE_KIB}`);
  // A new file gets its schema before WAL mode, so that its own bytes say whose it is.
  await migrate(db, path);
  if (path !== ":memory:") {
    if (db.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
      throw new StoreOpenError(
        `${path} is on a file system that cannot share a write-ahead log; put it on a local disk`,
      );
    }
    db.pragma(`journal_size_limit = ${WAL_FILE_BYTES}`);
    // The store does it, since SQLite would keep a failed sync to itself.
    db.pragma("wal_autocheckpoint = 0");
  }
  // failpoint: before-epoch
  db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('epoch', ?)").run(randomUUID());
  // Only after this does the pragma tell what commits will do. It writes to new files only: SQLite
  // leaves a page as it is whose bytes do not change.
  db.exec("UPDATE meta SET value = value");
  if (db.pragma("synchronous", { simple: true }) !== FULL) {
    throw new StoreOpenError(`${path}: this build of SQLite does not sync at every commit`);
  }
  // A hub that was killed may have written a commit and not synced it. It is in the log that was
  // just read, and would be told of from here on. (SQLite holds no locks on the log itself.)
  if (path !== ":memory:") syncPath(`${path}-wal`, "r+");
  const epoch = db.prepare<[], string>("SELECT value FROM meta WHERE name = 'epoch'").pluck().get();
  if (epoch === undefined) throw damaged(path, "it has no epoch");
  return epoch;
}
