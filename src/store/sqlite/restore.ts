import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { copyDatabase, removeDatabase } from "./backup.js";
import { lockFile } from "./file-lock.js";
import { realPath } from "./open.js";
import { setDatabaseAside } from "./set-database-aside.js";
import { StoreOpenError } from "./store-open-error.js";
import { renameForGood } from "./synced-files.js";
import { type VerifyResult, verifyDatabase } from "./verify.js";

/**
 * Puts a copy of a backup where a hub's database is, with a new epoch, so that clients notice
 * (D7). What was there is kept. At every moment in between, a hub that is started finds the old
 * database, the new one, or something it refuses. Interrupted anywhere, it can be run again.
 * @returns what was found in the backup, the new epoch, and where the old database is now
 * @throws StoreOpenError when a hub serves the database, or the backup is not sound; nothing is
 *   changed then
 */
export async function restoreBackup(of: { backup: string; path: string; nowMs: number }): Promise<{
  verified: VerifyResult;
  epoch: string;
  kept: string | undefined;
}> {
  const path = realPath(resolve(of.path));
  if (!existsSync(dirname(path))) {
    throw new StoreOpenError(`there is no folder ${dirname(path)}; create it first`);
  }
  if (existsSync(of.backup) && realPath(resolve(of.backup)) === path) {
    throw new StoreOpenError(`${path} is the database itself; name a backup of it`);
  }
  const unlock = lockFile(path);
  const fresh = `${path}.restoring`;
  try {
    // Nobody else has one, as long as this process has the lock: what is there was interrupted.
    removeDatabase(fresh);
    const violations: string[] = [];
    const verified = verifyDatabase(of.backup, (violation) => violations.push(violation));
    const [first] = violations;
    if (first !== undefined) {
      throw new StoreOpenError(
        `${of.backup} is not sound (${first}); it was not restored. ` +
          "`claw-chat db verify` tells everything about it",
      );
    }
    const epoch = randomUUID();
    const like = existsSync(path) ? path : of.backup;
    await copyDatabase({
      from: of.backup,
      to: fresh,
      like,
      change(copy) {
        copy.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(epoch);
      },
    });
    const kept = setDatabaseAside({ path, like, nowMs: of.nowMs });
    renameForGood(fresh, path);
    return { verified, epoch, kept };
  } finally {
    removeDatabase(fresh);
    unlock();
  }
}
