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

/** What its output should be in was not written, or breaks off. */
function notRun(file: string): Total {
  console.log(`did not come to its end: ${file}`);
  return { passed: 0, failed: 1 };
}

/** The files of a report; none where it cannot be read. */
function testResultsIn(file: string): TestReport["testResults"] {
  try {
    const report: Partial<TestReport> | null = JSON.parse(readFileSync(file, "utf8"));
    return report?.testResults ?? [];
  } catch {
    return [];
  }
}

function totalOfTests(file: string): Total {
  const testResults = testResultsIn(file);
  if (testResults.length === 0) return notRun(file);
  const total = { passed: 0, failed: 0 };
  for (const { name, status, assertionResults } of testResults) {
    const notPassed = assertionResults.filter((result) => result.status !== "passed");
    for (const result of notPassed) console.log(`${result.status}: ${result.fullName}`);
    total.passed += assertionResults.length - notPassed.length;
    total.failed += notPassed.length;
    if (notPassed.length === 0 && (status !== "passed" || assertionResults.length === 0)) {
      console.log(`could not be run: ${name}`);
      total.failed += 1;
    }
  }
  return total;
}

/** Of an output that ends with "N passed, N failed", behind a line "failed: …" for each that did. */
function totalOfLastLine(file: string): Total {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  for (const line of lines) if (line.startsWith("failed: ")) console.log(line);
  const found = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? "");
  return found === null ? notRun(file) : { passed: Number(found[1]), failed: Number(found[2]) };
}

const [, , tests = "", gate = "", proofs = ""] = process.argv;
const totals = [totalOfTests(tests), totalOfLastLine(gate), totalOfLastLine(proofs)];
const passed = totals.reduce((sum, total) => sum + total.passed, 0);
const failed = totals.reduce((sum, total) => sum + total.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
