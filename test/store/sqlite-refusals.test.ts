import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { openSqliteStore, StoreOpenError } from "../../src/store/sqlite/open.js";
import { aFolder } from "./a-folder.js";
import { aChannel, putAll, say } from "./sample.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = aFolder();
  path = join(folder, "chat.db");
});

/** Opening is refused with a sentence like this one, and no byte of the folder has changed. */
async function refused(sentence: RegExp, options = { path }): Promise<void> {
  const before = contents();
  const error: unknown = await openSqliteStore(options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreOpenError);
  expect(error).toHaveProperty("message", expect.stringMatching(sentence));
  expect(contents()).toEqual(before);
}

/** The folder's files and what is in them. The -shm file is SQLite's scratch memory. */
function contents(): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  const files = names.filter((name) => name !== "folder" && name !== "link.db");
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

/** A database of ours with some entries, closed. */
async function filled(): Promise<void> {
  const store = await openSqliteStore({ path });
  await putAll(store, aChannel("c1"));
  for (let count = 0; count < 200; count++) await say(store, "c1");
  await store.close();
}

function edit(statements: string): void {
  const db = new Database(path);
  db.exec(statements);
  db.close();
}

/** Leaves the database as a killed process would: what was committed last is only in its log. */
function leaveLog(statements: string): void {
  const db = new Database(path);
  db.exec(statements);
  for (const end of ["", "-wal"]) copyFileSync(path + end, `${path}${end}.kept`);
  db.close();
  for (const end of ["", "-wal"]) {
    copyFileSync(`${path}${end}.kept`, path + end);
    rmSync(`${path}${end}.kept`);
  }
}

test("a database of a newer hub is refused and left untouched", async () => {
  await filled();
  edit("PRAGMA user_version = 1000");
  await refused(/chat\.db was written by a newer hub: its schema has version 1000.*up to \d+/);
});

test("a database of a newer hub is refused where only its log says so", async () => {
  await filled();
  leaveLog("PRAGMA user_version = 1000");
  await refused(/newer hub/);
});

test("a SQLite database of another program is refused and left untouched", async () => {
  edit("CREATE TABLE notes (text TEXT)");
  await refused(/another program/);
  edit("PRAGMA application_id = 77; PRAGMA journal_mode = WAL");
  await refused(/another program/);
});

test.each([
  ["another program's", "PRAGMA application_id = 77", /another program/],
  ["a newer hub's", "PRAGMA user_version = 1000", /newer hub/],
])("%s database is not even recovered", async (_whose, mark, sentence) => {
  await filled();
  edit(mark);
  leaveLog("UPDATE channels SET reason = 'x'");
  await refused(sentence);
  // SQLite would have made it in order to read the log.
  expect(existsSync(`${path}-shm`)).toBe(false);
});

test("a file that is no database is refused and left untouched", async () => {
  writeFileSync(path, "dear diary\n".repeat(1000));
  await refused(/no SQLite database/);
  writeFileSync(path, "x");
  await refused(/no SQLite database/);
});

test("a database with a damaged header is refused and left untouched", async () => {
  await filled();
  writeFileSync(path, Buffer.concat([Buffer.from("garbage!"), readFileSync(path).subarray(8)]));
  await refused(/header is damaged/);
});

test("a database with a damaged page is refused and left untouched", async () => {
  await filled();
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 5 * 4096, 6 * 4096);
  writeFileSync(path, bytes);
  await refused(/chat\.db is damaged \(.+\)/);
});

test("a damaged database that has a log is refused, and the log is not copied into it", async () => {
  await filled();
  leaveLog("UPDATE channels SET reason = 'x'");
  const bytes = readFileSync(path);
  bytes.fill(0xa5, bytes.length - 4 * 4096);
  writeFileSync(path, bytes);
  await refused(/is damaged/);
});

test.each([100, 512, 4096, 20_000])("a database cut off at %i bytes is refused", async (size) => {
  await filled();
  writeFileSync(path, readFileSync(path).subarray(0, size));
  await refused(/is damaged|no SQLite database/);
});

test("a missing file whose log is there is refused, and the log is kept", async () => {
  await filled();
  leaveLog("UPDATE channels SET reason = 'x'");
  rmSync(path);
  await refused(/write-ahead log .*chat\.db-wal/);
  expect(existsSync(path)).toBe(false);
});

test("a missing folder is refused and not created", async () => {
  await refused(/no folder .*there/, { path: join(folder, "there", "chat.db") });
});

test("a folder given as the file is refused", async () => {
  mkdirSync(join(folder, "folder"));
  await refused(/is a directory; name a file in it/, { path: join(folder, "folder") });
});

test("an empty path and something that is no file are refused", async () => {
  await refused(/path is empty/, { path: " " });
  await refused(/not a regular file/, { path: "/dev/null" });
});

test.each([0o000, 0o444])(
  "a file with the rights %o is refused and left untouched",
  async (mode) => {
    await filled();
    const before = contents();
    chmodSync(path, mode);
    asNobody();
    const error: unknown = await openSqliteStore({ path }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreOpenError);
    expect(error).toHaveProperty("message", expect.stringMatching(/cannot be (read|opened)/));
    asOwner();
    expect(contents()).toEqual(before);
  },
);

test("a new file in a folder that may not be written is refused", async () => {
  chmodSync(folder, 0o555);
  asNobody();
  await refused(/cannot be opened for reading and writing/);
});

test("a file that is open in this process is refused, by any of its names", async () => {
  const store = await openSqliteStore({ path });
  symlinkSync(path, join(folder, "link.db"));
  await refused(/open in this process already/);
  await refused(/open in this process already/, { path: join(folder, "link.db") });
  await store.close();
  const again = await openSqliteStore({ path: join(folder, "link.db") });
  await again.close();
});

/** Root may do anything, so the test goes on as a user who may not. */
function asNobody(): void {
  if (process.geteuid?.() === 0) process.seteuid?.(65_534);
  onTestFinished(asOwner);
}

function asOwner(): void {
  if (process.getuid?.() === 0) process.seteuid?.(0);
  chmodSync(folder, 0o755);
  if (existsSync(path)) chmodSync(path, 0o644);
}
