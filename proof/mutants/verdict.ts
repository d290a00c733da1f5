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
}

/** What a run says about its mutant: caught for its reason, or the sentence that says why not. */
export function verdictOn(mutant: Mutant, ended: Ended): { caught: boolean; why: string } {
  const missed = (why: string) => ({ caught: false, why });
  if (ended.overdue) return missed("the validator was still running when its time was up");
  if (ended.code === 0) return missed(`the validator passed: ${ended.lastLine}`);
  if (ended.code !== 1) return missed(`the validator ended with ${ended.code}: ${ended.lastLine}`);
  if (mutant.caughtBy === "model") return verdictOfModel(ended);
  const figures = figuresOf(ended.lastLine);
  const asked = mutant.figures ?? [];
  const said = asked.filter((one) => {
    const [name = "", most = "0"] = one.split(">");
    return Number(figures[name] ?? 0) > Number(most);
  });
  if (said.length === 0) {
    return missed(`it failed, but not with ${asked.join(" or ")}: ${ended.lastLine}`);
  }
  const names = said.map((one) => one.split(">")[0] ?? "");
  return { caught: true, why: names.map((name) => `${name}=${figures[name]}`).join(" ") };
}

function verdictOfModel({ output, lastLine }: Ended): { caught: boolean; why: string } {
  const found = /Property failed after (\d+) tests?/.exec(output);
  if (found === null) return { caught: false, why: `no counterexample was found: ${lastLine}` };
  const seed = /seed: (-?\d+)/.exec(output)?.[1];
  return { caught: true, why: `counterexample in run ${found[1]}, seed ${seed}` };
}

/** The `key=value` figures of a line. */
function figuresOf(line: string): Record<string, string> {
  return Object.fromEntries(
    [...line.matchAll(/(\S+?)=(\S*)/g)].map(([, key, value]) => [key, value]),
  );
}
