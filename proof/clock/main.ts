import { parseArgs } from "node:util";
import { figuresLine } from "../crash/figures.ts";
import { fakeClock } from "./faketime.ts";
import { runClock } from "./run-clock.ts";

const HELP = `node proof/clock/main.ts [--hubs N] [--seed S]

Sets the wall clock of a hub under load an hour and a day ahead and back again: nothing that has a
receipt is lost, doubled or in another place, and requests expire once, after their time on the
monotonic clock. Then it ends and starts the hub, with its clock kept, set back or set forward
meanwhile: what pended has the rest of its time, between nothing and all of it.

  --hubs N    how many, each with six jumps (default 4)
  --seed S    repeats the random choices (default: a random one, printed)

Exit code 0: it held; 1: it did not; 2: wrong usage; 3: libfaketime is not here.
`;

const OPTIONS = {
  hubs: { type: "string", default: "4" },
  seed: { type: "string", default: String(Math.trunc(Math.random() * 2 ** 31)) },
  help: { type: "boolean", default: false },
} as const;

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

function wrongUsage(sentence: string): never {
  say(`${sentence}\n\n${HELP}`);
  process.exit(2);
}

function readFlags() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  return wrongUsage(`--${flag} is ${text}; it must be a whole number from ${least}`);
}

const flags = readFlags();
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const hubs = wholeNumber("hubs", flags.hubs, 1);
const seed = wholeNumber("seed", flags.seed, 0);

say(`seed ${seed}`);
const result = await runClock({ hubs, seed, clock: fakeClock, progress: say });
if (result === undefined) {
  say("the Debian packages faketime and libfaketime have it");
  process.stdout.write("lacking=libfaketime\n");
  process.exit(3);
}
const { sentences, counts, figures, jumps, outlived, early, late, doubled } = result;
if (figures.acked === 0 || jumps === 0) sentences.push("proved nothing: no load or no jump");
if (outlived === 0) sentences.push("proved nothing: the hub was down for too long to compare");
for (const sentence of sentences) say(sentence);
if (sentences.length > 0) {
  say(`again: node proof/clock/main.ts --hubs ${hubs} --seed ${seed}`);
  say(`kept: ${result.folder}`);
}
const { acked, resent, redelivered } = figures;
process.stdout.write(`${figuresLine({ hubs, outlived, acked, resent, redelivered })}\n`);
process.stdout.write(`${figuresLine({ jumps, ...counts, early, late, doubled })}\n`);
process.exitCode = sentences.length === 0 ? 0 : 1;
