import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import Database from "better-sqlite3";
import { sqliteCode } from "./engine-errors.js";
import { checkFile, damaged } from "./file-checks.js";
import { APPLICATION_ID, MIGRATIONS, newerVersion, schemaVersion } from "./migrations.js";
import { StoreOpenError } from "./store-open-error.js";

/** How long a command waits for a hub that writes: a turn of it takes much less. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens a database of this program that exists, beside a hub or without one, and changes nothing
 * about it: neither its schema nor, when it is closed, its log.
 * @param mode `write` for a connection that may change it
 * @throws StoreOpenError when there is none, it is damaged, or not ours
 */
export function openExisting(path: string, mode: "read" | "write"): Database.Database {
  const file = resolve(path);
  if (!checkFile(file)) throw new StoreOpenError(`there is no database ${file}; name one`);
  try {
    // A connection that may write would copy a log that is there into the file as it closes; one
    // that may not would leave an empty log behind where there was none.
    const readonly = mode === "read" && existsSync(`${realpathSync(file)}-wal`);
    const db = new Database(file, { readonly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      checkOurs(db, file);
      if (mode === "write") {
        db.pragma("synchronous = FULL");
        db.pragma("foreign_keys = ON");
        db.pragma("wal_autocheckpoint = 0");
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    const code = sqliteCode(error);
    if (!(error instanceof Error) || code === "") throw error;
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) throw damaged(file, error.message, error);
    throw new StoreOpenError(`${file} cannot be opened: ${error.message} (${code})`, {
      cause: error,
    });
  }
}

function checkOurs(db: Database.Database, file: string): void {
  const version = schemaVersion(db);
  if (version > MIGRATIONS.length) throw newerVersion(file, version, MIGRATIONS.length);
  if (db.pragma("application_id", { simple: true }) !== APPLICATION_ID || version === 0) {
    throw new StoreOpenError(`${file} is no database of this program; name another file`);
  }
  if (version < MIGRATIONS.length) {
    throw new StoreOpenError(
      `${file} was written by an older hub: its schema has version ${version}, not ` +
        `${MIGRATIONS.length}. Start this version's hub on it once, which brings it up to date`,
    );
  }
}
