import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { endCli, runCli, startCli, startServe, testFolder } from "../support/cli.js";

afterAll(endCli);

const PAGE_BYTES = 4096;

/** Writes rubbish over all pages but the first, where the hub's next read has to look. */
function damage(path: string): void {
  const db = new Database(path);
  // The hub drops what it has in memory where another process has written.
  db.exec("UPDATE meta SET value = value");
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xa5, PAGE_BYTES);
  writeFileSync(path, bytes);
}

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

test("a hub that finds its database damaged says so once, sends everybody away and ends with 5", {
  timeout: 60_000,
}, async () => {
  const cwd = testFolder();
  const hub = await startServe([], { cwd });
  const at = ["--hub", hub.address];
  expect((await runCli(["send", ...at, "--agent", "a", "--to", "b", "kept"])).code).toBe(0);
  const listening = startCli(["listen", ...at, "--agent", "b", "--json"]);
  await listening.said("stdout", /kept/);
  const path = join(cwd, "claw-chat.db");
  damage(path);
  const damaged = hashOf(path);

  const sent = await runCli(["send", ...at, "--agent", "a", "--to", "c", "--timeout", "1", "lost"]);
  expect(sent.code).not.toBe(0);
  expect(sent.stdout).toBe("");
  const { code, stderr } = await hub.result;
  expect(code).toBe(5);
  const lines = stderr.trim().split("\n");
  const last = lines.pop();
  expect(last).toMatch(/^claw-chat: the database could not .*\(SQLITE_(CORRUPT|NOTADB).*db verify/);
  const logged = lines.map((line) => JSON.parse(line));
  expect(logged.filter(({ level }) => level === 60)).toHaveLength(1);
  expect(logged.at(-1)).toMatchObject({ msg: "hub stopped" });
  // Not even what closing would copy into it.
  expect(hashOf(path)).toBe(damaged);
  listening.child.kill("SIGINT");

  const again = await runCli(["serve", "--listen", "127.0.0.1:0"], { cwd });
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("is damaged") });
  expect(hashOf(path)).toBe(damaged);
});
