import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { limitLog } from "../../src/store/sqlite/log-size.js";
import { aFolder } from "./a-folder.js";
import { sizeOfLog } from "./size-of-log.js";

let db: Database.Database;

beforeEach(() => {
  db = new Database(join(aFolder(), "chat.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("wal_autocheckpoint = 0");
  db.exec("CREATE TABLE words (word TEXT)");
  for (let count = 0; count < 40; count += 1) {
    db.prepare("INSERT INTO words VALUES (?)").run("x".repeat(128 * 1024));
  }
});
afterEach(() => db.close());

function copied(): boolean {
  const { log, checkpointed } = sizeOfLog(db);
  return checkpointed === log;
}

test("the log is due when it has grown by 4 MiB, and not again before it has grown as much", async () => {
  const log = limitLog(db);
  expect(log.isDue()).toBe(true);
  await log.copy();
  expect(copied()).toBe(true);
  expect(log.isDue()).toBe(false);
});

test.each(["SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_IOERR_SHORT_READ"])(
  "where a thread meets %s, this connection copies",
  async (code) => {
    const error = new Database.SqliteError("in the thread", code);
    const log = limitLog(db, { copyPages: () => Promise.reject(error) });
    expect(log.isDue()).toBe(true);
    await log.copy();
    expect(copied()).toBe(true);
  },
);

test("G13: where a sync fails in a thread, nothing is tried again", async () => {
  const error = new Database.SqliteError("in the thread", "SQLITE_IOERR_FSYNC");
  const log = limitLog(db, { copyPages: () => Promise.reject(error) });
  await expect(log.copy()).rejects.toMatchObject({ name: "StorageError", kind: "fatal" });
  expect(copied()).toBe(false);
});

test("while another connection copies, the log counts as long as it was", async () => {
  const copyPages = vi.fn(() => Promise.resolve(-1));
  const log = limitLog(db, { copyPages });
  expect(log.isDue()).toBe(true);
  await log.copy();
  expect(copyPages).toHaveBeenCalledOnce();
  // Otherwise it would have become shorter, and be due again.
  expect(log.isDue()).toBe(false);
});
