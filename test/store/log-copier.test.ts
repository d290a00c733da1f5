import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditEvent } from "../../src/hub/audit.js";
import type { Store } from "../../src/hub/store.js";
import { CannotCopy, type LogCopier, startLogCopier } from "../../src/store/sqlite/log-copier.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aFolder } from "./a-folder.js";
import { sizeOfLog } from "./size-of-log.js";

const EVENT: Omit<AuditEvent, "detail"> = {
  ...{ atMs: 0, event: "login_refused", actor: "a", agentId: "", channelId: "", address: "" },
};
/** So many bytes that a few of them have the log copied. */
const LARGE = 128 * 1024;
const BUILT_STORE = new URL("../../dist/src/store/sqlite/open.js", import.meta.url).href;

let path: string;
let db: Database.Database;
let copier: LogCopier;

beforeEach(() => {
  path = join(aFolder(), "chat.db");
  db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("wal_autocheckpoint = 0");
  db.exec("CREATE TABLE words (word TEXT)");
  copier = startLogCopier(path);
});
afterEach(async () => {
  await copier.end();
  db.close();
});

const write = () => db.prepare("INSERT INTO words VALUES (?)").run("x".repeat(64 * 1024));

const log = () => sizeOfLog(db);

/** How many threads begin meanwhile. */
async function threadsBegunBy(work: () => Promise<void>): Promise<number> {
  let threads = 0;
  const count = () => {
    threads += 1;
  };
  process.on("worker", count);
  await work();
  process.off("worker", count);
  return threads;
}

/** Stores 40 lines that are 5 MiB together, each in a transaction of its own. */
async function fill(store: Store): Promise<void> {
  for (let count = 0; count < 40; count += 1) {
    await store.transaction((tx) => tx.audit([{ ...EVENT, detail: "x".repeat(LARGE) }]));
  }
}

test("M1: a thread copies the whole log into the file, and the next write starts it over", async () => {
  write();
  const { log: pages } = log();
  expect(log()).toMatchObject({ checkpointed: 0 });
  expect(await copier.copyPages()).toBe(pages);
  expect(log()).toMatchObject({ log: pages, checkpointed: pages });
  write();
  expect(log().log).toBeLessThan(pages + 16);
  expect(await copier.copyPages()).toBe(log().log);
  expect(db.prepare("SELECT count(*) FROM words").pluck().get()).toBe(2);
});

test("M1: while a reader needs what was before, the log is copied no further, and nobody waits", async () => {
  write();
  const before = log().log;
  const reader = new Database(path, { readonly: true });
  reader.exec("BEGIN; SELECT * FROM words");
  write();
  expect(await copier.copyPages()).toBe(log().log);
  expect(log()).toMatchObject({ checkpointed: before });
  reader.close();
  await copier.copyPages();
  expect(log()).toMatchObject({ checkpointed: log().log });
});

test("what cannot be opened a second time fails its copy, and the next is tried", async () => {
  write();
  renameSync(`${path}-wal`, `${path}.away`);
  await expect(copier.copyPages()).rejects.toBeInstanceOf(CannotCopy);
  renameSync(`${path}.away`, `${path}-wal`);
  write();
  expect(await copier.copyPages()).toBe(log().log);
});

test("where threads fail again and again, no further one begins", async () => {
  renameSync(path, `${path}.away`);
  const threads = await threadsBegunBy(async () => {
    for (let time = 0; time < 5; time += 1) {
      await expect(copier.copyPages()).rejects.toBeInstanceOf(CannotCopy);
    }
  });
  expect(threads).toBe(3);
});

test("a thread that ends in the middle fails its copy, and another begins with the next", async () => {
  write();
  await copier.copyPages();
  write();
  const copying = copier.copyPages();
  await Promise.all([expect(copying).rejects.toBeInstanceOf(CannotCopy), copier.end()]);
  expect(await copier.copyPages()).toBe(log().log);
});

test("a thread that fails while nobody waits for it does not end the process", async () => {
  const begun = once(process, "worker");
  write();
  await copier.copyPages();
  const [thread] = await begun;
  thread.emit("error", new Error("out of memory"));
  expect(await copier.copyPages()).toBe(log().log);
});

test.each(["", "-wal"])(
  "where the path%s has become another file's, that one is left alone, and so is the database",
  async (end) => {
    const other = new Database(`${path}.other`);
    other.pragma("journal_mode = WAL");
    other.exec("CREATE TABLE others (word TEXT); INSERT INTO others VALUES ('other')");
    write();
    const [file, log] = [path, `${path}.other${end}`].map((name) => readFileSync(name));
    renameSync(path + end, `${path}${end}.away`);
    renameSync(`${path}.other${end}`, path + end);
    await expect(copier.copyPages()).rejects.toBeInstanceOf(CannotCopy);
    expect(readFileSync(path + end).equals(log ?? Buffer.of())).toBe(true);
    const untouched = end === "" ? `${path}.away` : path;
    expect(readFileSync(untouched).equals(file ?? Buffer.of())).toBe(true);
    renameSync(path + end, `${path}.other${end}`);
    renameSync(`${path}${end}.away`, path + end);
    other.close();
  },
);

test("a thread that has gone takes no locks of the process with it", async () => {
  write();
  await copier.copyPages();
  await copier.end();
  write();
  // Whoever closes a database last removes its log: this one is not the last.
  const other =
    "new (require('better-sqlite3'))(process.argv[1]).exec('SELECT * FROM words').close()";
  const { stderr } = spawnSync(process.execPath, ["-e", other, path], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(existsSync(`${path}-wal`)).toBe(true);
  write();
  expect(db.prepare("SELECT count(*) FROM words").pluck().get()).toBe(3);
});

test("G7: what others write during a copy is noticed during the copy", async () => {
  const file = `${path}.store`;
  const store = await openSqliteStore({ path: file });
  store.changedElsewhere();
  const noticed = new Promise<boolean>((resolve) => {
    // It begins with the first copy, and has everything to load yet.
    process.once("worker", () => {
      const other = new Database(file);
      other.exec("INSERT INTO agents VALUES ('another')");
      other.close();
      resolve(store.changedElsewhere());
    });
  });
  await fill(store);
  expect(await noticed).toBe(true);
  await store.close();
});

test("a store that is closed leaves no thread, and no log beside its file", async () => {
  const file = `${path}.store`;
  const store = await openSqliteStore({ path: file });
  const threads = await threadsBegunBy(async () => {
    await fill(store);
    await store.close();
  });
  expect(threads).toBe(1);
  expect(existsSync(`${file}-wal`)).toBe(false);
  const again = await openSqliteStore({ path: file });
  expect(await again.transaction((tx) => tx.auditLog({ limit: 100 }))).toHaveLength(40);
  await again.close();
});

/** Writes 10 MiB over the built store, which it leaves open, and says how many threads there were and how large the file is. */
const PROGRAM = `
  import { statSync } from "node:fs";
  let threads = 0;
  process.on("worker", () => { threads += 1; });
  const { openSqliteStore } = await import(${JSON.stringify(BUILT_STORE)});
  const store = await openSqliteStore({ path: process.argv.at(-1) });
  const event = ${JSON.stringify(EVENT)};
  for (let count = 0; count < 80; count += 1) {
    await store.transaction((tx) => tx.audit([{ ...event, detail: "x".repeat(${LARGE}) }]));
  }
  await store.transaction(async () => {});
  console.log(JSON.stringify({ threads, bytes: statSync(process.argv.at(-1)).size }));
`;

function run(...words: string[]): { threads: number; bytes: number } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...words, `${path}.other`], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return JSON.parse(stdout);
}

test("a process whose log was copied by a thread ends by itself, with its store open", () => {
  const program = join(aFolder(), "program.mjs");
  writeFileSync(program, PROGRAM);
  const { threads, bytes } = run(program);
  expect(threads).toBe(1);
  // Nothing else puts so much into the file before it is closed.
  expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
});

test("where no thread can begin, the log is copied all the same", () => {
  // Threads inherit this flag, and refuse it.
  const { threads, bytes } = run("--input-type=module", "-e", PROGRAM);
  expect(threads).toBeGreaterThan(1);
  expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
});
