import { parseArgs } from "node:util";
import type { HubExtras } from "./run-crash.ts";

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
  --folder DIR            puts the file and the journals there and keeps them
  --check DIR             runs nothing, and only looks at such a folder again

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
  folder: { type: "string" },
  check: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** What the command line asks for. */
export interface CrashFlags {
  kills: number;
  seed: number;
  /** The seed was drawn, not given. */
  drawn: boolean;
  signal: "SIGKILL" | "SIGTERM";
  selfKill: boolean;
  extras: HubExtras;
  leastReceipts: number;
  folder: string | undefined;
  check: string | undefined;
}

/** Reads the command line; ends the process after --help, and where it cannot be understood. */
export function readFlags(): CrashFlags {
  const flags = parse();
  if (flags.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const { signal, seed, folder, check } = flags;
  if (signal !== "KILL" && signal !== "TERM") wrongUsage("--signal is KILL or TERM");
  return {
    kills: wholeNumber("kills", flags.kills, 1),
    seed: wholeNumber("seed", seed ?? String(Math.trunc(Math.random() * 2 ** 31)), 0),
    drawn: seed === undefined,
    signal: `SIG${signal}`,
    selfKill: flags["self-kill"],
    extras: {
      args: flags["hub-arg"],
      nodeArgs: flags["hub-node-arg"],
      env: variables(flags["hub-env"]),
    },
    leastReceipts: wholeNumber("least-receipts", flags["least-receipts"], 0),
    ...{ folder, check },
  };
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
}

function wrongUsage(sentence: string): never {
  process.stderr.write(`${sentence}\n\n${HELP}`);
  process.exit(2);
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  return wrongUsage(`--${flag} is ${text}; it must be a whole number from ${least}`);
}

function variables(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) wrongUsage(`--hub-env is ${pair}; it must be KEY=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
