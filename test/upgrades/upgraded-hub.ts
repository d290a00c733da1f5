import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";
import { aFolder } from "../store/a-folder.js";
import type { KeptRelease } from "./releases.js";

/** Today's hub on a copy of a release's database. */
export interface UpgradedHub {
  address: string;
  /** The copy. */
  database: string;
  stop(): Promise<void>;
  /** What is wrong with the database, once the hub is stopped. */
  violations(): string[];
}

/**
 * Starts one at a moment of the test's choice, when its clock stands still.
 * @param afterMs how long after the database was put away
 */
export async function upgradedHub(release: KeptRelease, afterMs: number): Promise<UpgradedHub> {
  vi.setSystemTime(Date.parse(release.keptAt) + afterMs);
  onTestFinished(() => void vi.useRealTimers());
  const database = join(aFolder(), "hub.db");
  copyFileSync(release.database, database);
  const store = await openSqliteStore({ path: database });
  const hub = await startHub({ store, listen: "127.0.0.1:0" });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= hub.stop().then(() => store.close());
    return stopped;
  };
  onTestFinished(stop);
  return {
    address: hub.address,
    database,
    stop,
    violations() {
      const found: string[] = [];
      verifyDatabase(database, (violation) => found.push(violation));
      return found;
    },
  };
}
