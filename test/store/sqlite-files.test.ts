import { copyFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../src/hub/store.js";
import { APPLICATION_ID, MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { prepareDatabase } from "../../src/store/sqlite/prepare-database.js";
import { sqliteStore } from "../../src/store/sqlite/sqlite-store.js";
import { aFolder } from "./a-folder.js";
import { aChannel, anEntry, aService, plain, putAll, say } from "./sample.js";

const aPath = () => join(aFolder(), "chat.db");

test("M1: commits are synced to disk, still so after a write", async () => {
  const db = new Database(aPath());
  onTestFinished(() => void db.close());
  await prepareDatabase(db, db.name);
  db.exec("INSERT INTO meta VALUES ('test', 'x')");
  const pragma = (name: string) => db.pragma(name, { simple: true });
  expect(pragma("synchronous")).toBe(2);
  expect(pragma("journal_mode")).toBe("wal");
  expect(pragma("journal_size_limit")).toBe(64 * 1024 * 1024);
  expect(pragma("foreign_keys")).toBe(1);
  expect(pragma("mmap_size")).toBe(0);
});

test("a new database is for its owner's eyes, and so is its log", async () => {
  const path = aPath();
  const store = await openSqliteStore({ path });
  await putAll(store, aChannel("c1"));
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  await store.close();
});

test("M1: a connection whose commits are not synced is refused", async () => {
  const db = new Database(aPath());
  onTestFinished(() => void db.close());
  const pragma = db.pragma.bind(db);
  // A build of SQLite on which asking for FULL does nothing.
  db.pragma = (source, options) =>
    pragma(source === "synchronous = FULL" ? "synchronous = NORMAL" : source, options);
  await expect(prepareDatabase(db, db.name)).rejects.toThrow(/does not sync at every commit/);
});

test("M1: a database in memory says that it is not durable, a file that it is", async () => {
  const memory = await openSqliteStore({ path: ":memory:" });
  expect(memory.durable).toBe(false);
  await memory.close();
  const file = await openSqliteStore({ path: aPath() });
  expect(file.durable).toBe(true);
  await file.close();
  expect(existsSync(":memory:")).toBe(false);
});

test("D7, M1: reopening keeps everything, the epoch included", async () => {
  const path = aPath();
  const first = await openSqliteStore({ path });
  await putAll(first, aChannel("c1"), aChannel("c2"));
  await say(first, "c2", "chatAccept");
  await say(first, "c1");
  await first.transaction((tx) => tx.putService(aService("weather")));
  await first.close();

  const second = await openSqliteStore({ path });
  expect(second.epoch).toBe(first.epoch);
  await second.transaction(async (tx) => {
    expect(await tx.channel("c1")).toEqual(aChannel("c1", { lastSeq: 1 }));
    expect(plain(await tx.entry("c1", 1))).toMatchObject({ seq: 1, author: "ada", body: [1] });
    expect(await tx.service("weather")).toEqual(aService("weather"));
    expect((await tx.mostRecentlyUsed("ada", "bob"))?.channelId).toBe("c1");
    const answered = await tx.newestAnswered({ providerId: "ada", consumerId: "bob" });
    expect(answered?.channelId).toBe("c2");
  });
  await say(second, "c1");
  await second.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
});

test("an empty file becomes a database, marked as ours and with the newest schema", async () => {
  const path = aPath();
  writeFileSync(path, "");
  await (await openSqliteStore({ path })).close();
  const db = new Database(path, { readonly: true });
  onTestFinished(() => void db.close());
  expect(db.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length);
  expect(db.pragma("application_id", { simple: true })).toBe(APPLICATION_ID);
});

test("G12: a log that a killed process left is taken over", async () => {
  const path = aPath();
  const store = await openSqliteStore({ path });
  await putAll(store, aChannel("c1"));
  await say(store, "c1");
  const copy = aPath();
  for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
  await store.close();
  expect(statSync(`${copy}-wal`).size).toBeGreaterThan(0);
  const recovered = await openSqliteStore({ path: copy });
  expect(await recovered.transaction((tx) => tx.entry("c1", 1))).toBeDefined();
  await recovered.close();
});

test("an older database is copied beside before it is migrated", async () => {
  const path = aPath();
  const store = await openSqliteStore({ path });
  await putAll(store, aChannel("c1"));
  await store.close();
  const next = [...MIGRATIONS, "ALTER TABLE services ADD COLUMN colour TEXT"];
  const before = MIGRATIONS.length;

  const db = new Database(path);
  onTestFinished(() => void db.close());
  await migrate(db, path, next);
  expect(db.pragma("user_version", { simple: true })).toBe(next.length);
  expect(db.prepare("SELECT colour FROM services").all()).toEqual([]);

  const backup = await openSqliteStore({ path: `${path}.v${before}.bak` });
  expect(backup.epoch).toBe(store.epoch);
  expect(await backup.transaction((tx) => tx.channel("c1"))).toEqual(aChannel("c1"));
  await backup.close();
});

test("a migration that fails leaves the version and the schema as they were", async () => {
  const path = aPath();
  await (await openSqliteStore({ path })).close();
  const db = new Database(path);
  onTestFinished(() => void db.close());
  const broken = [...MIGRATIONS, "CREATE TABLE half (a); CREATE TABLE half (a)"];
  await expect(migrate(db, path, broken)).rejects.toThrow(/half/);
  expect(db.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length);
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
});

test("a new file is neither copied nor left with a journal", async () => {
  const path = aPath();
  await (await openSqliteStore({ path })).close();
  expect(existsSync(`${path}.v0.bak`)).toBe(false);
  expect(existsSync(`${path}-journal`)).toBe(false);
});

test("another process that is writing: a StorageError, and recovery when it has finished", async () => {
  const path = aPath();
  const store = await openSqliteStore({ path, busyTimeoutMs: 0 });
  await putAll(store, aChannel("c1"));
  const other = new Database(path);
  onTestFinished(() => void other.close());
  other.exec("BEGIN IMMEDIATE");
  let ran = false;
  const attempt = store.transaction(async () => {
    ran = true;
  });
  const error: unknown = await attempt.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ cause: { code: "SQLITE_BUSY" } });
  expect(error).toHaveProperty("message", expect.stringMatching(/begin a transaction/));
  expect(ran).toBe(false);
  other.exec("COMMIT");
  await say(store, "c1");
  expect(await store.transaction((tx) => tx.entry("c1", 1))).toBeDefined();
  await store.close();
});

test("G13: no room left: a StorageError that stores nothing, and recovery when there is", async () => {
  const { db, store } = await onConnection();
  await putAll(store, aChannel("c1"));
  const pages = Number(db.pragma("page_count", { simple: true }));
  db.pragma(`max_page_count = ${pages + 4}`);
  const large = () =>
    store.transaction(async (tx) => {
      await tx.putChannel(aChannel("c2", { lastSeq: 1 }));
      await tx.append([anEntry("c2", 1, { body: new Uint8Array(100_000) })]);
    });
  const error: unknown = await large().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ cause: { code: "SQLITE_FULL" } });
  expect(await store.transaction((tx) => tx.channel("c2"))).toBeUndefined();
  db.pragma("max_page_count = 1000000");
  await large();
  expect(await store.transaction((tx) => tx.entry("c2", 1))).toBeDefined();
});

test("M1: a commit that fails stores nothing, and the next one is none the wiser", async () => {
  const { db, store } = await onConnection();
  // Its constraint is checked at commit, and a commit that fails leaves the transaction open.
  db.exec(`CREATE TABLE pending (
    channel INTEGER REFERENCES channels (id) DEFERRABLE INITIALLY DEFERRED)`);
  const attempt = store.transaction(async (tx) => {
    await tx.putChannel(aChannel("c1"));
    db.exec("INSERT INTO pending VALUES (77)");
  });
  await expect(attempt).rejects.toThrow(/could not commit a transaction: FOREIGN KEY/);
  expect(db.inTransaction).toBe(false);
  await putAll(store, aChannel("c2"));
  expect(await store.transaction((tx) => tx.channel("c1"))).toBeUndefined();
  expect(await store.transaction((tx) => tx.channel("c2"))).toBeDefined();
});

/** A store whose connection the test can reach. */
async function onConnection() {
  const db = new Database(aPath());
  const epoch = await prepareDatabase(db, db.name);
  const of = { epoch, path: db.name, maxLogBytes: undefined, close: () => db.close() };
  const store = sqliteStore(db, of);
  onTestFinished(() => store.close());
  return { db, store };
}
