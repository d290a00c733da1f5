import { chmodSync, copyFileSync, existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { backUp } from "../../src/store/sqlite/backup.js";
import { openSqliteStore, StoreOpenError } from "../../src/store/sqlite/open.js";
import { restoreBackup } from "../../src/store/sqlite/restore.js";
import { endCli, runCli, testFolder } from "../support/cli.js";

afterAll(endCli);

const HOOK = new URL("../support/killed-at-step.ts", import.meta.url);
const PRIVATE = 0o640;
/** The epoch of the old database, which stands in its log alone. */
const IN_LOG = "from the log";

interface Crashed {
  folder: string;
  path: string;
  backup: string;
}

/** A database with the log that a killed hub leaves, and a backup of what it was before. */
async function crashedHub(): Promise<Crashed> {
  const folder = testFolder();
  const path = join(folder, "hub.db");
  const backup = join(folder, "monday.db");
  const store = await openSqliteStore({ path });
  await store.close();
  await backUp({ from: path, to: backup });
  chmodSync(path, PRIVATE);
  const db = new Database(path);
  db.pragma("wal_autocheckpoint = 0");
  db.exec(`UPDATE meta SET value = '${IN_LOG}'`);
  for (const end of ["", "-wal"]) copyFileSync(path + end, `${path}${end}.crashed`);
  db.close();
  for (const end of ["", "-wal"]) renameSync(`${path}${end}.crashed`, path + end);
  return { folder, path, backup };
}

/** The epoch of a database as it is with its log; opened as a copy, so that nothing changes. */
function epochIn(path: string): unknown {
  const copy = join(testFolder(), "copy.db");
  for (const end of ["", "-wal", "-journal"]) {
    if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  }
  const db = new Database(copy);
  const epoch = db.prepare("SELECT value FROM meta WHERE name = 'epoch'").pluck().get();
  db.close();
  return epoch;
}

const kept = (folder: string) =>
  readdirSync(folder).filter((name) => /\.before-restore-\w+$/.test(name));

/** The old database is there in one piece, under its own name or the one that is kept. */
function oldIsWhole({ folder, path }: Crashed): void {
  if (existsSync(path) && !isPlaceholder(path)) {
    expect(epochIn(path)).toBe(IN_LOG);
    return;
  }
  expect(statSync(path).mode & 0o777).toBe(PRIVATE);
  expect(kept(folder).map((name) => epochIn(join(folder, name)))).toEqual([IN_LOG]);
}

function isPlaceholder(path: string): boolean {
  return statSync(path).size < 4096;
}

/** Runs a restore that is killed before a step. @returns whether it came that far */
async function restoreKilledAt(step: number, { folder, backup }: Crashed): Promise<boolean> {
  const { code, stderr } = await runCli(["db", "restore", "--db", "hub.db", backup], {
    cwd: folder,
    env: { NODE_OPTIONS: `--import=${HOOK}`, KILLED_AT_STEP: String(step) },
  });
  if (code !== null) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return code === null;
}

/** What an operator may try after the cut. Opens the old database, or is refused; its log is read in. */
async function startHub({ path }: Crashed): Promise<void> {
  const store = await openSqliteStore({ path }).catch((error) => {
    expect(error).toBeInstanceOf(StoreOpenError);
  });
  if (store === undefined) return;
  expect(store.epoch).toBe(IN_LOG);
  await store.close();
}

test.each([
  ["at once", async () => {}],
  ["after a hub was started on what it found", startHub],
])(
  "D7: a restore that is killed at any step can be run again %s: the old database is kept whole, once",
  { timeout: 120_000 },
  async (_when, between) => {
    for (let step = 1; ; step += 1) {
      const crashed = await crashedHub();
      const { folder, path, backup } = crashed;
      if (!(await restoreKilledAt(step, crashed))) {
        expect(step).toBeGreaterThan(6);
        return;
      }
      oldIsWhole(crashed);
      await between(crashed);
      const again = await restoreBackup({ backup, path, nowMs: Date.UTC(2030) });
      const [name = "", ...others] = kept(folder);
      expect({ step, others, kept: again.kept }).toEqual({
        ...{ step, others: [], kept: join(folder, name) },
      });
      expect(epochIn(join(folder, name))).toBe(IN_LOG);
      const files = ["hub.db", "hub.db.lock", name, `${name}-wal`];
      expect(files).toEqual(
        expect.arrayContaining(readdirSync(folder).filter((file) => file.startsWith("hub.db"))),
      );
      expect(statSync(path).mode & 0o777).toBe(PRIVATE);
      const store = await openSqliteStore({ path });
      expect(store.epoch).toBe(again.epoch);
      expect(store.epoch).not.toBe(IN_LOG);
      await store.close();
    }
  },
);
