import { randomUUID } from "node:crypto";
import { existsSync, linkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { copyDatabase, removeDatabase } from "./backup.js";
import { lockFile } from "./file-lock.js";
import { realPath } from "./open.js";
import { StoreOpenError } from "./store-open-error.js";
import { renameForGood, syncPath } from "./synced-files.js";
import { type VerifyResult, verifyDatabase } from "./verify.js";

/** Stands where the database was until the backup does: no hub takes it for a database. */
const HALF_DONE =
  "claw-chat db restore was interrupted here. Run it again; the database that was here before " +
  "lies beside this file, under a name with before-restore.\n";

/**
 * Puts a copy of a backup where a hub's database is, with a new epoch, so that clients notice
 * (D7). What was there is kept. At every moment in between, a hub that is started finds the old
 * database, the new one, or something it refuses.
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
  const fresh = `${path}.restoring-${process.pid}`;
  try {
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
    await copyDatabase({
      from: of.backup,
      to: fresh,
      like: existsSync(path) ? path : of.backup,
      change(copy) {
        copy.prepare("UPDATE meta SET value = ? WHERE name = 'epoch'").run(epoch);
      },
    });
    const kept = setAside(path, of.nowMs);
    renameForGood(fresh, path);
    return { verified, epoch, kept };
  } finally {
    removeDatabase(fresh);
    unlock();
  }
}

/** Moves a database, its log and its rollback journal away, and leaves something in its place that no hub opens. */
function setAside(path: string, nowMs: number): string | undefined {
  // Beside the new database, the old one's would be taken for its own.
  const beside = ["-wal", "-journal"].filter((suffix) => existsSync(path + suffix));
  if (!existsSync(path) && beside.length === 0) return undefined;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const kept = `${path}.before-restore-${time}`;
  if (existsSync(kept) || existsSync(`${kept}-wal`)) {
    throw new StoreOpenError(`${kept} is there already; try again in a second`);
  }
  const placeholder = `${path}.placeholder`;
  writeFileSync(placeholder, HALF_DONE);
  syncPath(placeholder);
  if (existsSync(path)) linkSync(path, kept);
  renameForGood(placeholder, path);
  for (const suffix of beside) renameForGood(path + suffix, kept + suffix);
  rmSync(`${path}-shm`, { force: true });
  return kept;
}
