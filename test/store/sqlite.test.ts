import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { storeContract } from "./contract.js";

const folder = mkdtempSync(join(tmpdir(), "claw-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
storeContract("SQLite in a file", () =>
  openSqliteStore({ path: join(folder, `${++files}.db`), busyTimeoutMs: 0 }),
);
storeContract("SQLite in memory", () => openSqliteStore({ path: ":memory:" }));
