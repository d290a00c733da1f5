import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ForeignOptions, openForeignHub } from "./foreign-hub.ts";
import { DECLARED } from "./needs.ts";
import { BadTranscript, FOLDER, readFolder } from "./read-transcripts.ts";
import { figuresOf, jsonOf, lastLine, lineOf } from "./report.ts";
import { type Result, runOn } from "./run.ts";
import { runOnOwn } from "./run-own.ts";
import type { Transcript } from "./transcript.ts";
import { WrongUsage } from "./wrong-usage.ts";

interface Options extends ForeignOptions {
  hub?: string;
  only?: string[];
  json?: true;
  list?: true;
  transcripts: string;
  patience: number;
}

const USAGE = 2;
const options = new Command("npm run conformance --")
  .description(
    "Plays the rules of docs/protocol.md, as conversations, against a hub: any hub with --hub, " +
      "or this repository's own, started as each transcript needs it. docs/conformance.md says more.",
  )
  .option("--hub <host:port>", "the hub to judge; without it this repository's own")
  .option("--only <ids...>", "only these transcripts, or those of these rules or refusals")
  .option("--list", "say what there is, and play nothing")
  .option("--json", "one JSON object a line, the last of them the figures")
  .option("--agent-key <key>", "an API key that stands for the agents cf-*")
  .option("--admin-key <key>", "an API key of one admin")
  .option("--create-key <command>", "prints a new key for AGENTS, ROLE and EXPIRES")
  .option("--revoke-key <command>", "revokes KEY")
  .option("--start-command <command>", "runs the hub in the foreground until SIGTERM")
  .option("--ca-cert <file>", "speak TLS, and trust this authority")
  .addOption(new Option("--has <needs...>", "what else the hub has").choices(DECLARED).default([]))
  .option("--transcripts <folder>", "transcripts of your own", FOLDER)
  .option("--patience <seconds>", "how long to wait for what must come", seconds, 10)
  .addHelpText(
    "after",
    "\nExit code: 0 all passed that were run, 1 some failed or none was run, 2 wrong usage or a bad transcript.",
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE))
  .parse()
  .opts<Options>();

// Hubs that the runner has started end with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const chosen = choose(readFolder(options.transcripts), options.only);
    if (options.list) return list(chosen);
    const results = await playAll(chosen);
    const figures = figuresOf(results);
    console.log(options.json ? JSON.stringify(figures) : lastLine(results));
    return figures.failed === 0 && figures.passed > 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BadTranscript || error instanceof WrongUsage)) throw error;
    console.error(error.message);
    return USAGE;
  }
}

/** @throws WrongUsage when a word fits no transcript */
function choose(all: Transcript[], only: string[] | undefined): Transcript[] {
  if (all.length === 0) throw new WrongUsage(`there are no transcripts in ${options.transcripts}`);
  if (only === undefined) return all;
  const fits = ({ id, rules, refusals }: Transcript, word: string) =>
    id === word || rules.includes(word) || refusals.includes(word);
  const odd = only.find((word) => !all.some((one) => fits(one, word)));
  if (odd !== undefined) throw new WrongUsage(`no transcript is ${odd}, or is about it`);
  return all.filter((one) => only.some((word) => fits(one, word)));
}

async function playAll(transcripts: Transcript[]): Promise<Result[]> {
  const tell = (result: Result) =>
    console.log(options.json ? JSON.stringify(jsonOf(result)) : lineOf(result));
  const of = { run: randomBytes(4).toString("hex"), patienceMs: options.patience * 1000, tell };
  if (options.hub === undefined) return runOnOwn(transcripts, of);
  const hub = await openForeignHub(options.hub, { ...options, patienceMs: of.patienceMs });
  try {
    return await runOn(hub, transcripts, of);
  } finally {
    await hub.close();
  }
}

function list(transcripts: Transcript[]): number {
  for (const { id, title, rules, refusals, needs } of transcripts) {
    const words = [...rules, ...refusals, ...needs.map((need) => `needs:${need}`)];
    console.log(
      options.json
        ? JSON.stringify({ id, title, rules, refusals, needs })
        : `${id.padEnd(36)} ${title}\n${" ".repeat(37)}${words.join(" ")}`,
    );
  }
  return 0;
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("use a number of seconds above 0");
}
