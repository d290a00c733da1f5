import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { atLeastOne, freshSeed, wholeNumber } from "../support/whole-number.ts";
import { editsOf, MUTANTS, NO_MUTANT } from "./mutants.ts";
import { runValidator, wordsOf } from "./run-validator.ts";
import { VALIDATORS, validatorOf } from "./validators.ts";
import { verdictOn } from "./verdict.ts";

const { only, by, seed, limitS } = new Command("node proof/mutants/main.ts")
  .description(
    "Proves that the proofs can fail: puts bugs into the hub, one at a time, and each must be " +
      "caught by the validator named for it, for its reason. Without a bug the validators pass.",
  )
  .option("--only <name...>", "only these mutants")
  .addOption(
    new Option("--by <validator...>", "only the mutants of these validators").choices(
      Object.keys(VALIDATORS),
    ),
  )
  .option("--limit-s <n>", "seconds that one run may take", atLeastOne, 180)
  .option("--seed <n>", "repeat the choices of a run", wholeNumber, drawnSeed())
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ only?: string[]; by?: string[]; limitS: number; seed: number }>();

/** What a proof ends with where this machine lacks a tool it needs. */
const LACKING = 3;
const limitMs = limitS * 1000;

process.exitCode = await prove();

async function prove(): Promise<number> {
  const mutants = chosen();
  const used = new Map(mutants.map(validatorOf).map((one) => [one.words.join(" "), one]));
  const missing = [...used.values()].filter(({ words }) => !existsSync(words[0] ?? ""));
  if (missing.length > 0) throw new Error(`no validator ${missing.map(({ label }) => label)}`);

  let caught = 0;
  for (const mutant of mutants) {
    const startedAtMs = performance.now();
    const { name } = mutant;
    const validator = validatorOf(mutant);
    const ended = await runValidator({ validator, seed, mutant: name, limitMs });
    if (ended.code === LACKING) {
      console.log(ended.lastLine);
      return LACKING;
    }
    const verdict = verdictOn(mutant, ended);
    caught += verdict.caught ? 1 : 0;
    report(verdict.caught ? "caught" : "MISSED", validator.label, name, verdict.why, startedAtMs);
    if (!verdict.caught) {
      console.log(`  ${name} ${mutant.what}\n${ended.output.slice(-4000)}`);
      console.log(`  again: node proof/mutants/main.ts --only ${name} --seed ${seed}`);
    }
  }

  // Afterwards, so that what a mutant leaves behind in some cache would be noticed.
  let held = 0;
  for (const validator of used.values()) {
    const startedAtMs = performance.now();
    const ended = await runValidator({ validator, seed, mutant: NO_MUTANT, limitMs });
    const holds = ended.code === 0;
    held += holds ? 1 : 0;
    report(
      holds ? "passes" : "FAILS",
      validator.label,
      "without a bug",
      ended.lastLine,
      startedAtMs,
    );
    if (!holds) {
      console.log(ended.output.slice(-4000));
      console.log(`  again: node ${wordsOf(validator, seed).join(" ")}`);
    }
  }

  const missed = mutants.length - caught;
  console.log(
    `mutants=${mutants.length} caught=${caught} missed=${missed} controls=${held} ` +
      `controls_failed=${used.size - held} seed=${seed}`,
  );
  return missed === 0 && held === used.size ? 0 : 1;
}

/** Of at most nine digits, which every validator takes. */
function drawnSeed(): number {
  return freshSeed() % 1_000_000_000;
}

function chosen() {
  for (const name of only ?? []) editsOf(name);
  const named = MUTANTS.filter(({ name }) => only?.includes(name) ?? true);
  return named.filter(({ caughtBy }) => by === undefined || by.includes(caughtBy));
}

function report(verdict: string, by: string, name: string, why: string, startedAtMs: number): void {
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5);
  const [one, two, three] = [verdict.padEnd(6), by.padEnd(25), name.padEnd(30)];
  console.log(`${one} ${seconds} s  ${two} ${three} ${why}`);
}
