import { Command } from "commander";
import { randomFrom } from "../support/random.ts";
import { atLeastOne, freshSeed, wholeNumber } from "../support/whole-number.ts";
import { whileCreating } from "./creation.ts";
import { whileExpiring } from "./expiry.ts";
import { FAILPOINTS, type Failpoint } from "./failpoints.ts";
import { whileMigrating } from "./migration.ts";
import { emptyRound, type Load } from "./round.ts";
import { inDrain, underCrashLoad, whenComingBack } from "./under-crash-load.ts";

const { rounds, only, seed } = new Command("node proof/failpoints/main.ts")
  .description(
    "Proves that nothing with a receipt is lost wherever the hub ends: at each of the places that " +
      "its sources mark, it kills itself under load, starts again, and its file is checked.",
  )
  .option("--rounds <n>", "kills at each place", atLeastOne, 2)
  .option("--only <name...>", "only these places")
  .option("--seed <n>", "repeat the choices of a run", wholeNumber, freshSeed())
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ rounds: number; only?: string[]; seed: number }>();

const LOADS: Record<Failpoint["load"], Load> = {
  crash: underCrashLoad,
  creation: whileCreating,
  drain: inDrain,
  expiry: whileExpiring,
  migration: whileMigrating,
  return: whenComingBack,
};

process.exitCode = await prove();

async function prove(): Promise<number> {
  const chosen = FAILPOINTS.filter(({ name }) => only?.includes(name) ?? true);
  const unknown = only?.filter((name) => FAILPOINTS.every((one) => one.name !== name)) ?? [];
  if (unknown.length > 0) {
    console.error(`no failpoint ${unknown}; there are ${FAILPOINTS.map(({ name }) => name)}`);
    return 2;
  }
  const all = emptyRound();
  for (const failpoint of chosen) {
    const startedAtMs = performance.now();
    // Of its own, so that --only repeats it.
    const random = randomFrom(seed + FAILPOINTS.indexOf(failpoint));
    const round = await LOADS[failpoint.load]({ failpoint, kills: rounds, random });
    all.kills += round.kills;
    all.unreached += round.unreached;
    all.acked += round.acked;
    for (const kind of ["lost", "duplicated", "misordered", "gaps"] as const) {
      all.counts[kind] += round.counts[kind];
    }
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5);
    const figures = `kills=${round.kills} acked=${round.acked} unreached=${round.unreached}`;
    console.log(`${seconds} s  ${failpoint.name.padEnd(20)} ${figures}  ${failpoint.what}`);
    for (const sentence of round.sentences) console.log(`  ${sentence}`);
    if (round.sentences.length > 0 || round.unreached > 0) {
      const again = `--only ${failpoint.name} --rounds ${rounds} --seed ${seed}`;
      console.log(`  again: node proof/failpoints/main.ts ${again}`);
      all.sentences.push(...round.sentences);
    }
  }
  const { kills, acked, counts, unreached, sentences } = all;
  const { lost, duplicated, misordered, gaps } = counts;
  console.log(
    `failpoints=${chosen.length} kills=${kills} acked=${acked} lost=${lost} ` +
      `duplicated=${duplicated} misordered=${misordered} gaps=${gaps} unreached=${unreached} ` +
      `seed=${seed}`,
  );
  return sentences.length === 0 && unreached === 0 && kills > 0 ? 0 : 1;
}
