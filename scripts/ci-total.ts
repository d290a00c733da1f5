/**
 * Adds up the tests, the steps of the gate and the proofs:
 * `node scripts/ci-total.ts <vitest's JSON> <the gate's output> <the output of the proofs>`.
 * Names what failed, wherever that stands in pages of output, each on a line of its own. The last
 * line is "N passed, N failed"; the exit code is 1 where anything failed. A file that could not be
 * run counts as a failure, and so does a test that was skipped: it has shown nothing.
 */
import { existsSync, readFileSync } from "node:fs";

interface Total {
  passed: number;
  failed: number;
}

interface TestReport {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

const NOT_RUN: Total = { passed: 0, failed: 1 };

function totalOfTests(file: string): Total {
  if (!existsSync(file)) {
    console.log(`did not come to its end: ${file}`);
    return NOT_RUN;
  }
  const report: TestReport = JSON.parse(readFileSync(file, "utf8"));
  const total = { passed: 0, failed: 0 };
  for (const { name, status, assertionResults } of report.testResults) {
    const notPassed = assertionResults.filter((result) => result.status !== "passed");
    for (const result of notPassed) console.log(`${result.status}: ${result.fullName}`);
    total.passed += assertionResults.length - notPassed.length;
    total.failed += notPassed.length;
    if (notPassed.length === 0 && (status !== "passed" || assertionResults.length === 0)) {
      console.log(`could not be run: ${name}`);
      total.failed += 1;
    }
  }
  return report.testResults.length === 0 ? NOT_RUN : total;
}

/** Of an output that ends with "N passed, N failed", behind a line "failed: …" for each that did. */
function totalOfLastLine(file: string): Total {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  for (const line of lines) if (line.startsWith("failed: ")) console.log(line);
  const found = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? "");
  if (found !== null) return { passed: Number(found[1]), failed: Number(found[2]) };
  console.log(`did not come to its end: ${file}`);
  return NOT_RUN;
}

const [, , tests = "", gate = "", proofs = ""] = process.argv;
const totals = [totalOfTests(tests), totalOfLastLine(gate), totalOfLastLine(proofs)];
const passed = totals.reduce((sum, total) => sum + total.passed, 0);
const failed = totals.reduce((sum, total) => sum + total.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
