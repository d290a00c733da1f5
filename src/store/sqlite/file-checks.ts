import { closeSync, existsSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { APPLICATION_ID, MIGRATIONS, newerVersion, schemaVersion } from "./migrations.js";
import { StoreOpenError } from "./store-open-error.js";

/** https://www.sqlite.org/fileformat.html#the_database_header */
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
/** https://www.sqlite.org/fileformat.html#the_rollback_journal */
const JOURNAL_MAGIC = Buffer.from("d9d505f920a163d7", "hex");
const PAGES_BEFORE_AT = 16;

const LEFT_ALONE = "It was left as it is; restore a backup, or name another file";

/**
 * Looks at a database file before SQLite does, so that what is not ours is not
 * even recovered, locked or given a -wal file.
 * @param path absolute
 * @returns whether there is a database at all; a file that is missing or empty is none
 * @throws StoreOpenError when it is no database of this program
 */
export function checkFile(path: string): boolean {
  const stats = statOf(path);
  if (stats?.isDirectory()) {
    throw new StoreOpenError(
      `${path} is a directory; name a file in it, such as ${join(path, "claw-chat.db")}`,
    );
  }
  if (stats !== undefined && !stats.isFile()) {
    throw new StoreOpenError(`${path} is not a regular file; name another one`);
  }
  if (stats === undefined && !statOf(dirname(path))?.isDirectory()) {
    throw new StoreOpenError(
      `${path} cannot be created: there is no folder ${dirname(path)}; create it first`,
    );
  }
  if (stats === undefined || stats.size === 0) {
    // SQLite would delete that log, and it may be all that is left of somebody's messages.
    if (existsSync(`${path}-wal`)) {
      throw new StoreOpenError(
        `${path} is missing or empty, but its write-ahead log ${path}-wal is there; ` +
          "bring the file back, or move the log away to begin a new database",
      );
    }
    return false;
  }
  const header = readHeader(path);
  // Then any part of its first page may be missing, and SQLite will begin anew.
  if (!isOurs(header) && creationWasCut(path)) return true;
  checkHeader(path, header);
  return true;
}

/**
 * Whether the power went while the file was being filled for the first time: its journal says that
 * it had no page before. Nothing was committed then, whoever's it is.
 */
function creationWasCut(path: string): boolean {
  const journal = `${path}-journal`;
  if (!statOf(journal)?.isFile() || existsSync(`${path}-wal`)) return false;
  const header = readHeader(journal);
  const isWhole = header.indexOf(JOURNAL_MAGIC) === 0;
  return isWhole && header.readUInt32BE(PAGES_BEFORE_AT) === 0;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw new StoreOpenError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const fd = openSync(path, "r");
    try {
      readSync(fd, header, 0, HEADER_BYTES, 0);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new StoreOpenError(
      `${path} cannot be read: ${reasonOf(cause)}; give this user the right to read and write it`,
      { cause },
    );
  }
  return header;
}

function isDatabase(header: Buffer): boolean {
  return header.toString("latin1", 0, MAGIC.length) === MAGIC;
}

function isOurs(header: Buffer): boolean {
  return isDatabase(header) && header.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
}

function checkHeader(path: string, header: Buffer): void {
  if (!isDatabase(header)) {
    throw new StoreOpenError(
      `${path} is no SQLite database, or its header is damaged. ${LEFT_ALONE}`,
    );
  }
  if (!isOurs(header)) throw foreign(path);
  const version = header.readUInt32BE(USER_VERSION_AT);
  if (version > MIGRATIONS.length) throw newerVersion(path, version, MIGRATIONS.length);
}

/**
 * Lets SQLite read the whole of an existing database, without changing it.
 * Takes about a second per GiB.
 * @throws StoreOpenError when it is damaged, or not ours after all
 */
export function checkContents(path: string, busyTimeoutMs: number): void {
  // A connection that may write would copy an existing log into the file as it
  // closes; one that may not would leave an empty log behind, and could not undo what a journal
  // says was never finished: after a power loss there may be both.
  const readonly = existsSync(`${path}-wal`) && !existsSync(`${path}-journal`);
  const db = new Database(path, { readonly, fileMustExist: true, timeout: busyTimeoutMs });
  try {
    const found = db.pragma("quick_check(1)", { simple: true });
    if (found !== "ok") throw damaged(path, String(found));
    const version = schemaVersion(db);
    if (version > MIGRATIONS.length) throw newerVersion(path, version, MIGRATIONS.length);
    // All zero after a crash in the middle of creating it, which SQLite has just undone.
    const ours = db.pragma("application_id", { simple: true }) === APPLICATION_ID;
    const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
    if (!ours && tables !== 0) throw foreign(path);
  } finally {
    db.close();
  }
}

/** The sentence for a file whose contents are not what SQLite wrote. */
export function damaged(path: string, how: string, cause?: unknown): StoreOpenError {
  return new StoreOpenError(`${path} is damaged (${how.trim().split("\n", 1)[0]}). ${LEFT_ALONE}`, {
    cause,
  });
}

function foreign(path: string): StoreOpenError {
  return new StoreOpenError(
    `${path} is a SQLite database of another program. It was left as it is; name another file`,
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
