import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { FOLDER, readFolder } from "../../conformance/hub/read-transcripts.ts";
import type { Result } from "../../conformance/hub/run.ts";
import { runOnOwn } from "../../conformance/hub/run-own.ts";
import { KNOWN_MUTANTS } from "./known-mutants.ts";
import { RULE_MUTANTS } from "./rule-mutants.ts";
import { type MutantResult, runMutant } from "./run.ts";

/** Hubs with a bug that run at a time; most of their time they start. */
const AT_A_TIME = 3;
const LACKING = 3;

const { only } = new Command("node proof/conformance/main.ts")
  .description(
    "Proves that the transcripts of conformance/hub can fail: the hub passes them all, and each " +
      "fails against a hub with a bug put in for it.",
  )
  .option("--only <name...>", "only these mutants, and not the hub as it is")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ only?: string[] }>();

process.exitCode = await prove();

async function prove(): Promise<number> {
  const transcripts = new Map(readFolder(FOLDER).map((one) => [one.id, one]));
  const mutants = [
    ...Object.entries(KNOWN_MUTANTS).map(([name, fails]) => ({ name, fails })),
    ...RULE_MUTANTS,
  ].filter(({ name }) => only?.includes(name) ?? true);
  if (mutants.length === 0) {
    console.error("there is no such mutant");
    return 2;
  }
  const control = only === undefined ? await playWithoutBug([...transcripts.values()]) : [];
  const results: MutantResult[] = [];
  const queue = mutants.values();
  const worker = async () => {
    for (const { name, fails } of queue) {
      const asked = fails.map((id) => transcripts.get(id) ?? id);
      const known = asked.filter((one) => typeof one !== "string");
      const result = await runMutant(name, known);
      const unknown = asked.filter((one) => typeof one === "string");
      result.problems.push(...unknown.map((id) => `there is no transcript ${id}`));
      results.push(result);
      tell(result);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));

  const caught = new Set(results.flatMap((one) => one.caught));
  const lacking = new Set(results.flatMap((one) => one.lacking));
  const never = [...transcripts.keys()].filter((id) => !caught.has(id) && !lacking.has(id));
  const uncaught = only === undefined ? never : [];
  for (const id of uncaught) console.log(`NEVER FAILS  ${id}`);
  const missed = results.filter(({ problems }) => problems.length > 0).length;
  const failed = control.filter((one) => "passed" in one && !one.passed).length;
  console.log(
    `transcripts=${transcripts.size} caught=${caught.size} never_fail=${uncaught.length} ` +
      `mutants=${results.length} missed=${missed} control_failed=${failed}` +
      (lacking.size === 0 ? "" : ` skipped=${[...lacking]} lacking=unshare`),
  );
  if (uncaught.length > 0 || missed > 0 || failed > 0) return 1;
  return lacking.size > 0 ? LACKING : 0;
}

async function playWithoutBug(transcripts: Parameters<typeof runOnOwn>[0]): Promise<Result[]> {
  return runOnOwn(transcripts, {
    run: randomBytes(4).toString("hex"),
    patienceMs: 10_000,
    tell(result) {
      if ("passed" in result && !result.passed) console.log(`FAILS  ${result.why}`);
    },
  });
}

function tell({ name, caught, problems, lacking }: MutantResult): void {
  const word = problems.length > 0 ? "MISSED" : lacking.length > 0 ? "skipped" : "caught";
  console.log(`${word.padEnd(7)} ${name.padEnd(30)} ${caught}`);
  for (const problem of problems) console.log(`  ${problem}`);
}
