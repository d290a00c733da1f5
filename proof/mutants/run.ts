import { existsSync, rmSync } from "node:fs";
import type { Mutant } from "./mutant.ts";
import { NO_MUTANT } from "./mutants.ts";
import { runValidator, wordsOf } from "./run-validator.ts";
import { controlOf, type LabelledValidator, validatorOf } from "./validators.ts";
import { verdictOn } from "./verdict.ts";

/** A validator against one mutant, or without one: then it is to pass. */
export interface Run {
  validator: LabelledValidator;
  mutant?: Mutant;
}

/** What came of a run. */
export interface RunResult extends Run {
  /** As it should have been; not where this machine lacks a tool, which `lacking` names. */
  verdict: "good" | "bad" | "lacking";
  /** In few words. */
  why: string;
  seconds: number;
  /** What there is to say where it is bad: sentences, and the command that does it again. */
  more: string[];
}

/** What a proof ends with where this machine lacks a tool it needs. */
const LACKING = 3;
const MOST_OUTPUT_CHARS = 4_000;

/**
 * Every mutant against its validator, then each of those validators without one; so that what a
 * mutant leaves behind in some cache would be noticed.
 * @throws Error when a validator is no file
 */
export function runsFor(mutants: readonly Mutant[]): Run[] {
  const validators = mutants.map(validatorOf);
  const missing = validators.filter(({ words }) => !existsSync(words[0] ?? ""));
  if (missing.length > 0) throw new Error(`no validator ${missing.map(({ label }) => label)}`);
  const controls = mutants.map(controlOf);
  const used = new Map(controls.map((control) => [control.words.join(" "), control]));
  return [
    ...mutants.map((mutant) => ({ validator: validatorOf(mutant), mutant })),
    ...[...used.values()].map((validator) => ({ validator })),
  ];
}

/**
 * Runs them in their order; those that may run beside others do so, one after the other as well.
 * @param tell told of each when it is over
 */
export async function runAll(
  runs: readonly Run[],
  of: { seed: number; limitMs: number },
  tell: (result: RunResult) => void,
): Promise<RunResult[]> {
  const inOrder = async (some: readonly Run[]) => {
    const results: RunResult[] = [];
    for (const one of some) {
      const result = await runOne(one, of);
      tell(result);
      results.push(result);
    }
    return results;
  };
  const isBeside = ({ validator, mutant }: Run) => (validator.beside ?? mutant?.beside) === true;
  const results = await Promise.all([
    inOrder(runs.filter((one) => !isBeside(one))),
    inOrder(runs.filter(isBeside)),
  ]);
  return results.flat();
}

async function runOne(run: Run, of: { seed: number; limitMs: number }): Promise<RunResult> {
  const { validator, mutant } = run;
  const startedAtMs = performance.now();
  const ended = await runValidator({ ...of, validator, mutant: mutant?.name ?? NO_MUTANT });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const forget = () => rmSync(ended.folder, { recursive: true, force: true });
  if (ended.code === LACKING) {
    forget();
    return { ...run, verdict: "lacking", why: ended.lastLine, seconds, more: [] };
  }
  const { good, why } =
    mutant === undefined
      ? { good: ended.code === 0, why: ended.lastLine }
      : verdictOn(mutant, ended);
  if (good) {
    forget();
    return { ...run, verdict: "good", why, seconds, more: [] };
  }
  const again =
    mutant === undefined
      ? wordsOf(validator, of.seed).join(" ")
      : `proof/mutants/main.ts --only ${mutant.name} --seed ${of.seed}`;
  const more = [
    ...(mutant === undefined ? [] : [`${mutant.name} ${mutant.what}`]),
    ended.output.slice(-MOST_OUTPUT_CHARS),
    `kept: ${ended.folder}`,
    `again: node ${again}`,
  ];
  return { ...run, verdict: "bad", why, seconds, more };
}
