import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { translate } from "./engine-errors.js";
import { openExisting } from "./existing-database.js";
import { lockFile } from "./file-lock.js";
import { realPath } from "./open.js";

/**
 * Gives a database a new epoch and changes nothing else about it (D7): clients forget what they
 * knew of the log before. The positions that are stored stay, for they are about the log that is
 * here; what an agent has handled of the other one only it remembers.
 * @returns the epoch it has now and the one before, undefined where that was missing
 * @throws StoreOpenError when a hub serves the database, or it cannot be opened; StorageError when
 *   it cannot be changed. It is as it was then
 */
export function declareLost(of: { path: string }): { epoch: string; before: string | undefined } {
  const path = realPath(resolve(of.path));
  // First, for it refuses what is not there and leaves no lock beside it.
  const db = openExisting(path, "write");
  let unlock: (() => void) | undefined;
  try {
    unlock = lockFile(path);
    const before = db
      .prepare<[], string>("SELECT value FROM meta WHERE name = 'epoch'")
      .pluck()
      .get();
    const epoch = randomUUID();
    db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?)").run(epoch);
    return { epoch, before };
  } catch (error) {
    throw translate(error, "take a new epoch");
  } finally {
    db.close();
    unlock?.();
  }
}
