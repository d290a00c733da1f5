import type { Mutant } from "./mutant.ts";

/** How a validator's process ended. */
export interface Ended {
  code: number | null;
  /** Its output, both kinds, without colours. */
  output: string;
  /** Last line of its stdout. */
  lastLine: string;
  /** It was stopped because it took too long. */
  overdue: boolean;
  /** Where it put its temporary files, which the caller removes. */
  folder: string;
}

/** A figure, and where its bound is not 0, that. */
const CONDITION = /^([^<>]+)(?:([<>])(.+))?$/;

/** What a run says about its mutant: caught for its reason, or the sentence that says why not. */
export function verdictOn(mutant: Mutant, ended: Ended): { good: boolean; why: string } {
  const missed = (why: string) => ({ good: false, why });
  if (ended.overdue) return missed("the validator was still running when its time was up");
  if (ended.code === 0) return missed(`the validator passed: ${ended.lastLine}`);
  if (ended.code !== 1) return missed(`the validator ended with ${ended.code}: ${ended.lastLine}`);
  if (mutant.caughtBy === "model") return verdictOfModel(ended);
  if (mutant.caughtBy === "matrix") return verdictOfMatrix(ended);
  if (mutant.caughtBy === "floods") return verdictOfFloods(ended);
  const figures = figuresOf(ended.lastLine);
  const asked = mutant.figures ?? [];
  const said = asked.filter((one) => {
    const [, name = "", sign, bound = "0"] = CONDITION.exec(one) ?? [];
    const figure = Number(figures[name] ?? NaN);
    return sign === "<" ? figure < Number(bound) : figure > Number(bound);
  });
  if (said.length === 0) {
    return missed(`it failed, but not with ${asked.join(" or ")}: ${ended.lastLine}`);
  }
  const names = said.map((one) => CONDITION.exec(one)?.[1] ?? "");
  return { good: true, why: names.map((name) => `${name}=${figures[name]}`).join(" ") };
}

function verdictOfModel({ output, lastLine }: Ended): { good: boolean; why: string } {
  const found = /Property failed after (\d+) tests?/.exec(output);
  if (found === null) return { good: false, why: `no counterexample was found: ${lastLine}` };
  const seed = /seed: (-?\d+)/.exec(output)?.[1];
  return { good: true, why: `counterexample in run ${found[1]}, seed ${seed}` };
}

/** A cell that came out otherwise than it is written down, and not any other failure. */
function verdictOfMatrix({ output, lastLine }: Ended): { good: boolean; why: string } {
  const cell = /FAIL.*matrix\.test\.ts > C7 I1: (.*)\n(?:.*\n){0,3}?AssertionError/.exec(
    output,
  )?.[1];
  if (cell === undefined) return { good: false, why: `no cell came out wrong: ${lastLine}` };
  return { good: true, why: `the cell ${cell}` };
}

/** A test that did not come out as written, and not a file that could not be run. */
function verdictOfFloods({ output, lastLine }: Ended): { good: boolean; why: string } {
  const failed = /FAIL.*test\/server\/\S+ > (M5: .*)/.exec(output)?.[1];
  if (failed === undefined) return { good: false, why: `no test failed: ${lastLine}` };
  return { good: true, why: `the test ${failed}` };
}

/** The `key=value` figures of a line. */
function figuresOf(line: string): Record<string, string> {
  return Object.fromEntries(
    [...line.matchAll(/(\S+?)=(\S*)/g)].map(([, key, value]) => [key, value]),
  );
}
