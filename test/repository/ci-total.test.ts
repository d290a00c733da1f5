import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aFolder } from "../store/a-folder.js";
import { root } from "./sources.js";

const PASSED = { status: "passed", fullName: "a test" };

/** Adds up a report of tests and two outputs; what is undefined was never written. */
function total(tests: object | string | undefined, gate?: string, proofs?: string) {
  const json = typeof tests === "object" ? JSON.stringify(tests) : tests;
  const outputs = { "tests.json": json, gate, proofs };
  const folder = aFolder();
  const files = Object.entries(outputs).map(([name, text]) => {
    const file = join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    return file;
  });
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(root, "scripts/ci-total.ts"), ...files],
    { encoding: "utf8" },
  );
  return { lines: stdout.trimEnd().split("\n"), status };
}

const report = (...assertionResults: object[]) => ({
  testResults: [{ name: "a.test.ts", status: "passed", assertionResults }],
});

test("where nothing failed the total is all it says", () => {
  const { lines, status } = total(report(PASSED), "13 passed, 0 failed\n", "17 passed, 0 failed\n");
  expect(lines).toEqual(["31 passed, 0 failed"]);
  expect(status).toBe(0);
});

test("whatever failed is named again at the end", () => {
  const failed = { status: "failed", fullName: "another test" };
  const gate = "types FAILED 1.0 s 9 files\nfailed: types: npm run check\n12 passed, 1 failed\n";
  const proofs = "fuzz broken 20 s\nfailed: fuzz: hub_ended=1: node fuzz\n16 passed, 1 failed\n";
  const { lines, status } = total(report(PASSED, failed), gate, proofs);
  expect(lines).toEqual([
    "failed: another test",
    "failed: types: npm run check",
    "failed: fuzz: hub_ended=1: node fuzz",
    "29 passed, 3 failed",
  ]);
  expect(status).toBe(1);
});

test.each([
  ["is missing", undefined],
  ["breaks off", JSON.stringify(report(PASSED)).slice(0, -20)],
  ["has no tests", { testResults: [] }],
  ["is something else", {}],
])(
  "where the report of the tests %s, and outputs as well, they have failed, by name",
  (_, tests) => {
    const { lines, status } = total(tests, "types ok 1.0 s\n");
    expect(lines.map((line) => line.replace(/: .*\//, ": "))).toEqual([
      "did not come to its end: tests.json",
      "did not come to its end: gate",
      "did not come to its end: proofs",
      "0 passed, 3 failed",
    ]);
    expect(status).toBe(1);
  },
);
