import type { Result } from "./run.ts";

/** A result as a line for people. */
export function lineOf(result: Result): string {
  const { id, title } = result.transcript;
  if ("missing" in result) return `not run  ${id}: needs ${result.missing.join(", ")}`;
  return result.passed ? `passed   ${id}: ${title}` : `FAILED   ${id}: ${title}\n  ${result.why}`;
}

/** A result as an object for programs. */
export function jsonOf(result: Result): Record<string, unknown> {
  const { id, title, rules, refusals, needs } = result.transcript;
  const head = { id, title, rules, refusals, needs };
  if ("missing" in result) return { ...head, result: "not_run", missing: result.missing };
  const { passed, why, seconds } = result;
  return passed
    ? { ...head, result: "passed", seconds }
    : { ...head, result: "failed", seconds, why };
}

/** The figures of a run; rules and refusals are those that transcripts have shown that passed. */
export function figuresOf(results: readonly Result[]) {
  const passed = results.filter((one) => "passed" in one && one.passed);
  const notRun = results.filter((one) => "missing" in one);
  const distinct = (key: "rules" | "refusals") =>
    new Set(passed.flatMap(({ transcript }) => transcript[key])).size;
  return {
    transcripts: results.length,
    passed: passed.length,
    failed: results.length - passed.length - notRun.length,
    not_run: notRun.length,
    rules: distinct("rules"),
    refusals: distinct("refusals"),
    names: notRun.map(({ transcript }) => transcript.id).sort(),
  };
}

/** The last line: the figures, and the names of what was not run. */
export function lastLine(results: readonly Result[]): string {
  const { names, ...figures } = figuresOf(results);
  const words = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
  return [...words, ...(names.length > 0 ? [`not_run_names=${names.join(",")}`] : [])].join(" ");
}
