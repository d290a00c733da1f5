import { Command, Option } from "commander";
import { atLeastOne, freshSeed, wholeNumber } from "../support/whole-number.ts";
import { editsOf, MUTANTS } from "./mutants.ts";
import { type RunResult, runAll, runsFor } from "./run.ts";
import { VALIDATORS } from "./validators.ts";

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
  .option("--limit-s <n>", "seconds that one run may take", atLeastOne, 300)
  .option("--seed <n>", "repeat the choices of a run", wholeNumber, drawnSeed())
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ only?: string[]; by?: string[]; limitS: number; seed: number }>();

process.exitCode = await prove();

async function prove(): Promise<number> {
  const mutants = chosen();
  if (mutants.length === 0) {
    console.error("there is no such mutant of such a validator");
    return 2;
  }
  const results = await runAll(runsFor(mutants), { seed, limitMs: limitS * 1000 }, report);

  const count = (verdict: RunResult["verdict"], isMutant: boolean) =>
    results.filter((one) => one.verdict === verdict && (one.mutant !== undefined) === isMutant)
      .length;
  const [missed, failed] = [count("bad", true), count("bad", false)];
  const lacking = results.filter(({ verdict }) => verdict === "lacking");
  const skipped = new Set(lacking.map(({ validator }) => validator.label.replaceAll(" ", ":")));
  const tools = lacking.flatMap(({ why }) => /lacking=(.*)/.exec(why)?.[1]?.split(",") ?? []);
  console.log(
    `mutants=${mutants.length} caught=${count("good", true)} missed=${missed} ` +
      `controls=${count("good", false)} controls_failed=${failed} seed=${seed}` +
      (lacking.length === 0 ? "" : ` skipped=${[...skipped]} lacking=${[...new Set(tools)]}`),
  );
  if (missed > 0 || failed > 0) return 1;
  return lacking.length > 0 ? 3 : 0;
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

function report({ verdict, validator, mutant, why, seconds, more }: RunResult): void {
  const [good, bad] = mutant === undefined ? ["passes", "FAILS"] : ["caught", "MISSED"];
  const word = verdict === "lacking" ? "skipped" : verdict === "good" ? good : bad;
  const [one, two] = [word.padEnd(7), seconds.toFixed(1).padStart(5)];
  const [by, name] = [validator.label.padEnd(25), (mutant?.name ?? "without a bug").padEnd(30)];
  console.log(`${one} ${two} s  ${by} ${name} ${why}`);
  for (const text of more) console.log(`  ${text}`);
}
