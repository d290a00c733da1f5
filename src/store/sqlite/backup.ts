import { closeSync, existsSync, openSync, realpathSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import { copyRights } from "./copy-rights.js";
import { openExisting } from "./existing-database.js";
import { StoreOpenError } from "./store-open-error.js";
import { renameForGood, syncPath } from "./synced-files.js";

/** Every page in one step, so that what a hub writes meanwhile cannot make it begin again. */
const ALL_PAGES = 0x7fff_ffff;

/**
 * Copies a database into one file, as it is at one moment, while a hub may go on writing. The hub
 * keeps its log until the copy is done.
 * @param of.force replaces a file that is there
 * @returns the copy's size; it is checked and synced, or not there at all
 * @throws StoreOpenError when it cannot be read, or the target may not be written
 */
export async function backUp(of: {
  from: string;
  to: string;
  force?: boolean;
}): Promise<{ bytes: number }> {
  const to = resolve(of.to);
  if (!existsSync(dirname(to))) {
    throw new StoreOpenError(`there is no folder ${dirname(to)}; create it first`);
  }
  if (existsSync(to)) {
    if (existsSync(of.from) && realpathSync(to) === realpathSync(of.from)) {
      throw new StoreOpenError(`${to} is the database itself; name another file`);
    }
    if (of.force !== true) {
      throw new StoreOpenError(`${to} is there already; name another file, or give --force`);
    }
  }
  for (const beside of [`${to}-wal`, `${to}-journal`]) {
    // SQLite would read it into the copy, or roll the copy back by it.
    if (existsSync(beside)) {
      throw new StoreOpenError(
        `${beside} is there: a database of that name is in use, or was not closed; name another file`,
      );
    }
  }
  const partial = `${to}.partial-${process.pid}`;
  try {
    await copyDatabase({ from: of.from, to: partial, like: of.from });
    renameForGood(partial, to);
  } finally {
    removeDatabase(partial);
  }
  return { bytes: statSync(to).size };
}

/**
 * Copies a database to a file that is not there yet, checks the copy and syncs it.
 * @param of.like the file whose rights and owner it gets
 * @param of.change what to change about the copy
 * @throws StoreOpenError when it cannot be read, or the copy is not sound
 */
export async function copyDatabase(of: {
  from: string;
  to: string;
  like: string;
  change?: (copy: Database.Database) => void;
}): Promise<void> {
  const { from, to } = of;
  const source = openExisting(from, "read");
  try {
    closeSync(openSync(to, "wx", 0o600));
    copyRights({ from: of.like, to });
    await source.backup(to, { progress: () => ALL_PAGES });
  } finally {
    source.close();
  }
  const copy = new Database(to, { fileMustExist: true });
  try {
    // One file that can be read where nothing may be written. A hub turns this back.
    copy.pragma("journal_mode = DELETE");
    of.change?.(copy);
    const found = copy.pragma("quick_check(1)", { simple: true });
    if (found !== "ok") {
      const how = String(found).replaceAll(/\s+/g, " ");
      throw new StoreOpenError(`the copy of ${from} is damaged: ${how}`);
    }
  } finally {
    copy.close();
  }
  syncPath(to);
}

/** Removes a database's file and what SQLite keeps beside it. */
export function removeDatabase(path: string): void {
  for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(path + end, { force: true });
}
