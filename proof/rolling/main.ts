import { parseArgs } from "node:util";
import { figuresLine } from "../crash/figures.ts";
import { drawn, largestShare } from "./histogram.ts";
import { runRolling } from "./run-rolling.ts";

const HELP = `node proof/rolling/main.ts [--restarts N] [--clients N] [--no-stalled] [--seed S]

Restarts a hub by SIGTERM again and again while many clients of the package talk through it. Each
time it ends with exit code 0 within 10 s; nothing that has a receipt is lost, doubled or in
another place; everybody comes back by itself, and with 100 clients or more not more than half
of them within the same 100 ms. A stalled reader does not keep it for longer, and a second signal
ends it at once.

  --restarts N    how often (default 5)
  --clients N     how many clients, in two processes (default 100)
  --no-stalled    without the two hubs that a stalled reader keeps waiting
  --seed S        repeats the random choices (default: a random one, printed)

Exit code 0: it held; 1: it did not, or too little happened to prove it; 2: wrong usage.
`;

const OPTIONS = {
  restarts: { type: "string", default: "5" },
  clients: { type: "string", default: "100" },
  "no-stalled": { type: "boolean", default: false },
  seed: { type: "string", default: String(Math.trunc(Math.random() * 2 ** 31)) },
  help: { type: "boolean", default: false },
} as const;

/** Receipts a restart below which there was no load. */
const LEAST_RECEIPTS = 200;

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
const restarts = wholeNumber("restarts", flags.restarts, 1);
const clients = wholeNumber("clients", flags.clients, 2);
const seed = wholeNumber("seed", flags.seed, 0);

say(`seed ${seed}`);
const withStalled = !flags["no-stalled"];
const result = await runRolling({ restarts, clients, withStalled, seed, progress: say });
const { sentences, counts, figures, exit0, stopMs, plannedMs, returnsMs } = result;
if (figures.acked < LEAST_RECEIPTS * restarts) {
  sentences.push(`proved nothing: ${figures.acked} receipts are fewer than ${LEAST_RECEIPTS} each`);
}
for (const sentence of sentences) say(sentence);
if (sentences.length > 0) {
  const words = `--restarts ${restarts} --clients ${clients} --seed ${seed}`;
  say(`again: node proof/rolling/main.ts ${words}${withStalled ? "" : " --no-stalled"}`);
}
if (Object.values(counts).some((count) => count > 0)) say(`kept: ${result.folder}`);

const hundredths = (share: number) => Math.round(100 * share) / 100;
const rounded = (timesMs: number[]) => Math.round(Math.max(0, ...timesMs));
process.stdout.write(`how long the hub told its clients to stay away\n${drawn(plannedMs)}\n`);
process.stdout.write(`when they were back, after the first of them\n${drawn(returnsMs)}\n`);
const more = {
  ...{ acked: figures.acked, resent: figures.resent, returns: returnsMs.length },
  last_back_ms: rounded(returnsMs),
  ...(withStalled && {
    stalled_reader_stop_ms: rounded([result.stalledStopMs]),
    second_signal_stop_ms: rounded([result.secondSignalStopMs]),
  }),
};
process.stdout.write(`${figuresLine(more)}\n`);
const last = {
  ...{ restarts, clients, exit0, ...counts },
  ...{ slowest_stop_ms: rounded(stopMs) },
  planned_at_once: hundredths(largestShare(plannedMs)),
  back_at_once: hundredths(largestShare(returnsMs)),
};
process.stdout.write(`${figuresLine(last)}\n`);
process.exitCode = sentences.length === 0 ? 0 : 1;
