import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkFolder } from "../../proof/crash/check-folder.ts";
import { endCli, testFolder } from "../support/cli.js";
import { runProgram } from "./program.js";
import { TAMPERINGS, tamper } from "./tamperings.js";

const PROGRAM = "proof/crash/main.ts";
let good = "";

afterAll(endCli);
beforeAll(async () => {
  good = join(testFolder(), "good");
  const run = await runProgram(PROGRAM, "--kills", "2", "--seed", "7", "--folder", good);
  expect(run.stderr).not.toMatch(/lost:|duplicated:|misordered:|gaps:|nothing/);
  expect(run.lastLine).toMatch(
    /^kills=2 acked=\d{3,} resent=[1-9]\d* lost=0 duplicated=0 misordered=0 gaps=0$/,
  );
  expect(run.code).toBe(0);
}, 60_000);

function tampered(tampering: (typeof TAMPERINGS)[number]): string {
  const folder = join(testFolder(), "tampered");
  cpSync(good, folder, { recursive: true });
  tamper(folder, tampering);
  return folder;
}

describe("the checker of the crash runs", () => {
  test("has a way to be wrong for each of its questions", () => {
    const source = readFileSync(join(import.meta.dirname, "../../proof/crash/checks.ts"), "utf8");
    const names = [...source.matchAll(/name: "([^"]+)"/g)].map(([, name]) => name);
    expect(TAMPERINGS.map(({ check }) => check)).toEqual(names);
  });

  test("finds nothing wrong in what a good run left", async () => {
    const { code, stderr } = await runProgram(PROGRAM, "--check", good);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("says so, and exits with 1", async () => {
    const [tampering] = TAMPERINGS;
    if (tampering === undefined) throw new Error("nothing to tamper with");
    const { code, stderr, lastLine } = await runProgram(PROGRAM, "--check", tampered(tampering));
    expect(stderr).toContain(`${tampering.counted}: ${tampering.check}: `);
    expect(lastLine).toMatch(new RegExp(`\\b${tampering.counted}=[1-9]`));
    expect(code).toBe(1);
  });

  test("finds nothing wrong where nothing is done but what goes before tampering", async () => {
    const blocks = (folder: string) => {
      const db = new DatabaseSync(join(folder, "hub.db"));
      const found = db.prepare("SELECT count(*) AS n FROM entry_blocks WHERE heads IS NOT NULL");
      const count = Number(found.get()?.n);
      db.close();
      return count;
    };
    const folder = tampered({ check: "", counted: "lost", file() {} });
    expect(blocks(good)).toBeGreaterThan(0);
    expect(blocks(folder)).toBe(0);
    expect((await checkFolder(folder)).sentences).toEqual([]);
  });

  test.each(TAMPERINGS)("notices when $check", async (tampering) => {
    const { counts, sentences } = await checkFolder(tampered(tampering));
    expect(sentences.join("\n")).toContain(`${tampering.counted}: ${tampering.check}: `);
    expect(counts[tampering.counted]).toBeGreaterThan(0);
  });
});
