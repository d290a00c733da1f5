import { parseArgs } from "node:util";
import { lastLine, provedNothing, timesLine } from "./figures.ts";
import { type HubExtras, runCrash } from "./run-crash.ts";
import { awaitSelfKill, strikeAtRandom } from "./strike.ts";

const HELP = `node proof/crash/main.ts [--kills N] [--seed S] ...

Kills a hub again and again while clients talk through it, and compares what they saw with what
is in its file: nothing that has a receipt is lost, doubled or in another place.

  --kills N               how often (default 20)
  --seed S                repeats the random choices (default: a random one, printed)
  --signal KILL|TERM      with what (default KILL; after TERM the hub must end with exit code 0)
  --self-kill             the hub ends by itself: wait for that, and kill it after 5 s
  --hub-arg ARG           one more argument of claw-chat serve; repeatable
  --hub-node-arg ARG      one more argument of Node.js in the hub's process; repeatable
  --hub-env KEY=VALUE     one more variable of the hub's environment; repeatable
  --least-receipts N      receipts a kill below which nothing is proved (default 200)

Exit code 0: it held; 1: it did not, or too little happened to prove it; 2: wrong usage.
`;

const OPTIONS = {
  kills: { type: "string", default: "20" },
  seed: { type: "string" },
  signal: { type: "string", default: "KILL" },
  "self-kill": { type: "boolean", default: false },
  "hub-arg": { type: "string", multiple: true, default: [] as string[] },
  "hub-node-arg": { type: "string", multiple: true, default: [] as string[] },
  "hub-env": { type: "string", multiple: true, default: [] as string[] },
  "least-receipts": { type: "string", default: "200" },
  help: { type: "boolean", default: false },
} as const;

function wrongUsage(sentence: string): never {
  process.stderr.write(`${sentence}\n\n${HELP}`);
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
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) {
    wrongUsage(`--${flag} is ${text}; it must be a whole number from ${least}`);
  }
  return value;
}

const flags = readFlags();
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (flags.signal !== "KILL" && flags.signal !== "TERM") wrongUsage("--signal is KILL or TERM");
const kills = wholeNumber("kills", flags.kills, 1);
const leastReceipts = wholeNumber("least-receipts", flags["least-receipts"], 0);
const seed = wholeNumber("seed", flags.seed ?? String(Math.trunc(Math.random() * 2 ** 31)), 0);
const env = Object.fromEntries(
  flags["hub-env"].map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) wrongUsage(`--hub-env is ${pair}; it must be KEY=VALUE`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  }),
);
const extras: HubExtras = { args: flags["hub-arg"], nodeArgs: flags["hub-node-arg"], env };
const selfKill = flags["self-kill"];

process.stderr.write(`seed ${seed}\n`);
const result = await runCrash({
  kills,
  seed,
  strike: selfKill ? awaitSelfKill() : strikeAtRandom(`SIG${flags.signal}` as const),
  // A hub that ends itself cannot finish the work: the last one is as it is installed.
  hub: (life) => (selfKill && life === kills ? { args: flags["hub-arg"] } : extras),
  mayFailToStart: selfKill,
  progress: (sentence) => process.stderr.write(`${sentence}\n`),
});

for (const sentence of result.sentences) process.stderr.write(`${sentence}\n`);
const nothing = provedNothing(result, leastReceipts);
if (nothing !== undefined) process.stderr.write(`${nothing}\n`);
const broken = Object.values(result.counts).some((count) => count > 0);
if (broken || nothing !== undefined) {
  const words = [
    process.execPath,
    ...process.argv.slice(1),
    ...(flags.seed ? [] : ["--seed", seed]),
  ];
  process.stderr.write(`again: ${words.map((word) => JSON.stringify(word)).join(" ")}\n`);
}
if (broken) process.stderr.write(`kept: ${result.folder}\n`);
process.stdout.write(`${timesLine(result)}\n${lastLine(result)}\n`);
process.exit(broken || nothing !== undefined ? 1 : 0);
