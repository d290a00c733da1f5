import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, expect, test } from "vitest";
import { backUp } from "../../src/store/sqlite/backup.js";
import { openSqliteStore, StoreOpenError } from "../../src/store/sqlite/open.js";
import { restoreBackup } from "../../src/store/sqlite/restore.js";
import { aFolder } from "./a-folder.js";
import { aChannel, putAll } from "./sample.js";

let folder: string;
let path: string;
let backup: string;
beforeEach(async () => {
  folder = aFolder();
  path = join(folder, "hub.db");
  backup = join(folder, "backups", "monday.db");
  mkdirSync(join(folder, "backups"));
  await withStore((store) => putAll(store, openChannel("old")));
});

const openChannel = (channelId: string) => aChannel(channelId, { state: 1, consumerId: "" });

async function withStore<T>(
  work: (store: Awaited<ReturnType<typeof openSqliteStore>>) => Promise<T>,
): Promise<T> {
  const store = await openSqliteStore({ path });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const epoch = () => withStore(async (store) => store.epoch);
const has = (channelId: string) =>
  withStore((store) =>
    store.transaction(async (tx) => (await tx.channel(channelId)) !== undefined),
  );
const refusedWith = (work: Promise<unknown>, sentence: RegExp) =>
  expect(work).rejects.toSatisfy(
    (error) => error instanceof StoreOpenError && sentence.test(error.message),
  );

/** A database with a service-less open channel is not sound; these tests need none of that. */
function makeSound(): void {
  const db = new Database(path);
  db.exec("DELETE FROM channels");
  db.close();
}

test("a backup is one file with everything in it, private where the database is, and not written over", async () => {
  chmodSync(path, 0o600);
  expect(await backUp({ from: path, to: backup })).toEqual({ bytes: statSync(backup).size });
  expect(readdirSync(join(folder, "backups"))).toEqual(["monday.db"]);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  // Journal mode "delete": readable where nothing may be written beside it.
  expect([...readFileSync(backup).subarray(18, 20)]).toEqual([1, 1]);
  const before = readFileSync(backup);
  await refusedWith(backUp({ from: path, to: backup }), /is there already.*--force/);
  await refusedWith(backUp({ from: path, to: path, force: true }), /is the database itself/);
  await refusedWith(backUp({ from: path, to: join(folder, "no", "x.db") }), /no folder/);
  await refusedWith(backUp({ from: `${path}x`, to: `${backup}2` }), /there is no database/);
  expect(readFileSync(backup).equals(before)).toBe(true);
  await withStore((store) => putAll(store, openChannel("newer")));
  await backUp({ from: path, to: backup, force: true });
  expect(readFileSync(backup).includes("newer")).toBe(true);
});

test("a backup of a damaged database is none, and an earlier one stays", async () => {
  await backUp({ from: path, to: backup });
  const before = readFileSync(backup);
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096 * 2, 4096 * 4);
  writeFileSync(path, bytes);
  await refusedWith(backUp({ from: path, to: backup, force: true }), /damaged/);
  expect(readFileSync(backup).equals(before)).toBe(true);
  expect(readdirSync(join(folder, "backups"))).toEqual(["monday.db"]);
});

test("D7: what is restored is the backup under a new epoch; what was there is kept", async () => {
  makeSound();
  await backUp({ from: path, to: backup });
  await withStore((store) => putAll(store, openChannel("newer")));
  const before = await epoch();
  const restored = await restoreBackup({ backup, path, nowMs: 1_795_000_000_000 });
  expect(restored).toMatchObject({
    kept: `${path}.before-restore-20261118T110640Z`,
    verified: { violations: 0, epoch: before },
  });
  expect(await epoch()).toBe(restored.epoch);
  expect(restored.epoch).not.toBe(before);
  expect(await has("newer")).toBe(false);
  const twice = await restoreBackup({ backup, path, nowMs: 1_795_000_001_000 });
  expect(twice.epoch).not.toBe(restored.epoch);
  renameSync(String(restored.kept), path);
  expect([await epoch(), await has("newer")]).toEqual([before, true]);
});

test("the log of a crashed hub is kept too, and never read into the restored database", async () => {
  makeSound();
  await backUp({ from: path, to: backup });
  const db = new Database(path);
  db.pragma("wal_autocheckpoint = 0");
  db.exec("UPDATE meta SET value = 'from the log'");
  for (const end of ["", "-wal"]) copyFileSync(path + end, `${path}${end}.crashed`);
  db.close();
  for (const end of ["", "-wal"]) renameSync(`${path}${end}.crashed`, path + end);
  const log = readFileSync(`${path}-wal`);
  const { kept, epoch: restored } = await restoreBackup({ backup, path, nowMs: Date.now() });
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(readFileSync(`${kept}-wal`).equals(log)).toBe(true);
  expect(await epoch()).toBe(restored);
});

test("a rollback journal is kept too, and never rolls the restored database back", async () => {
  makeSound();
  await backUp({ from: path, to: backup });
  writeFileSync(`${path}-journal`, "what a cut creation left");
  const { kept, epoch: restored } = await restoreBackup({ backup, path, nowMs: Date.now() });
  expect(existsSync(`${path}-journal`)).toBe(false);
  expect(readFileSync(`${kept}-journal`, "utf8")).toBe("what a cut creation left");
  expect(await epoch()).toBe(restored);
});

test("a backup is not put beside a log or a journal that SQLite would read into it", async () => {
  makeSound();
  for (const suffix of ["-wal", "-journal"]) {
    writeFileSync(backup + suffix, "of another database");
    await refusedWith(backUp({ from: path, to: backup, force: true }), /in use, or was not closed/);
    rmSync(backup + suffix);
  }
  expect(existsSync(backup)).toBe(false);
});

test("restoring is refused while a hub serves the file, or from what is not sound; nothing changes", async () => {
  await backUp({ from: path, to: backup });
  // Its open channel belongs to no service.
  await refusedWith(restoreBackup({ backup, path, nowMs: 0 }), /is not sound .*no service/);
  await refusedWith(restoreBackup({ backup: path, path, nowMs: 0 }), /the database itself/);
  await refusedWith(restoreBackup({ backup: `${backup}x`, path, nowMs: 0 }), /no database/);
  makeSound();
  await backUp({ from: path, to: backup, force: true });
  const before = readFileSync(path);
  const store = await openSqliteStore({ path });
  await refusedWith(restoreBackup({ backup, path, nowMs: 0 }), /served by another hub/);
  await store.close();
  writeFileSync(backup, readFileSync(backup).fill(0xa5, 8192, 12_288));
  await refusedWith(restoreBackup({ backup, path, nowMs: 0 }), /is not sound|is damaged/);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => /restor|placeholder/.test(name))).toEqual([]);
});

test("where there is no database yet, restoring makes it", async () => {
  makeSound();
  await backUp({ from: path, to: backup });
  const other = join(folder, "other.db");
  const { kept } = await restoreBackup({ backup, path: other, nowMs: 0 });
  expect(kept).toBeUndefined();
  expect(existsSync(other)).toBe(true);
});
