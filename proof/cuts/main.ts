import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startHubProcess } from "../support/hub-process.ts";
import { randomFrom } from "../support/random.ts";
import { atLeastOne, freshSeed, wholeNumber } from "../support/whole-number.ts";
import { type Fault, openChecker } from "./checker.ts";
import { type Cut, converse, type Outcome } from "./conversation.ts";
import type { Direction } from "./cut-proxy.ts";
import { type Choice, cutNamed, type Lengths, nameOf, planCuts } from "./plan.ts";

const program = new Command("cuts")
  .description(
    "Proves that a conversation survives a connection that breaks anywhere: it is held again and " +
      "again, cut after another byte each time, in both directions, and nothing is lost, repeated " +
      "or out of order, neither in the log nor before the handlers.",
  )
  .option("--samples <n>", "cut at about so many places, spread evenly", atLeastOne, 60)
  .option("--every <n>", "cut at every n-th byte instead", atLeastOne)
  .option("--all", "cut at every byte instead")
  .option("--cut <place>", "make this one cut, such as consumer:sent:1234:reset", cutNamed)
  .option("--parallel <n>", "conversations at once", atLeastOne, 64)
  .option("--seed <n>", "repeat the choices of a run", wholeNumber, freshSeed())
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = program.opts<{
  samples: number;
  every?: number;
  all?: true;
  cut?: Cut;
  parallel: number;
  seed: number;
}>();

process.exitCode = await prove();

async function prove(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-cuts-"));
  const db = join(folder, "hub.db");
  const hub = await startHubProcess({ db, args: ["--log-level", "warn"] });
  const lengths = await record(hub.address);
  const cuts = options.cut ? [options.cut] : planCuts(lengths, choice(), randomFrom(options.seed));
  const outcomes = await makeCuts(hub.address, cuts);
  const ended = await hub.end("SIGTERM");

  const checker = openChecker(db);
  const counts: Record<Fault, number> = {
    lost: 0,
    duplicated: 0,
    misordered: 0,
    gaps: 0,
    broken: 0,
  };
  if (ended.code !== 0) {
    counts.broken += 1;
    console.log(`the hub ended with ${ended.signal ?? ended.code}: ${hub.log()}`);
  }
  for (const outcome of outcomes) {
    for (const { fault, text } of checker.check(outcome)) {
      counts[fault] += 1;
      const { cut } = outcome;
      const again = cut ? `node proof/cuts/main.ts --cut ${nameOf(cut)}` : "(no cut)";
      console.log(`${fault}: ${text}\n  ${again} --seed ${options.seed}`);
    }
  }
  checker.close();
  const made = outcomes.filter((outcome) => outcome.made).length;
  const faults = Object.values(counts).reduce((sum, count) => sum + count, 0);
  // A few bytes more or less pass from run to run, so the last places may not be reached.
  const proved = cuts.length > 0 && made >= cuts.length * 0.95;
  if (!proved) console.log(`only ${made} of ${cuts.length} cuts could be made: nothing is proved`);
  if (faults === 0) await rm(folder, { recursive: true, force: true });
  else console.log(`the hub's files are kept in ${folder}`);
  const total = (direction: Direction) =>
    Object.values(lengths).reduce((sum, role) => sum + role[direction], 0);
  const figures = {
    cuts: made,
    offsets: `${total("sent")}+${total("received")}`,
    ...counts,
    unreached: cuts.length - made,
    reconnects: outcomes.reduce((sum, outcome) => sum + reconnectsOf(outcome), 0),
    seed: options.seed,
  };
  console.log(
    Object.entries(figures)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
  );
  return faults === 0 && proved ? 0 : 1;
}

/** How long the conversation is without a cut. */
async function record(hubAddress: string): Promise<Lengths> {
  const roles = ["consumer", "provider", "reader"] as const;
  const outcomes = await Promise.all(
    roles.map((role, number) => converse({ hubAddress, number, role })),
  );
  const [consumer, provider, reader] = outcomes.map(({ trouble, passed }) => {
    if (trouble !== undefined) throw new Error(`without a cut: ${trouble}`);
    return passed;
  }) as [Outcome["passed"], Outcome["passed"], Outcome["passed"]];
  return { consumer, provider, reader };
}

async function makeCuts(hubAddress: string, cuts: Cut[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = cuts.entries();
  const startedAtMs = performance.now();
  const worker = async () => {
    // All take from the same iterator.
    for (const [index, cut] of waiting) {
      outcomes.push(await converse({ hubAddress, number: index + 3, role: cut.role, cut }));
      if (outcomes.length % 500 === 0) {
        const seconds = Math.round((performance.now() - startedAtMs) / 1000);
        console.error(`${outcomes.length} of ${cuts.length} conversations after ${seconds} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return outcomes;
}

function choice(): Choice {
  if (options.all) return { every: 1 };
  return options.every === undefined ? { samples: options.samples } : { every: options.every };
}

function reconnectsOf({ provider, consumer }: Outcome): number {
  return provider.sessions.length + consumer.sessions.length - 2;
}
