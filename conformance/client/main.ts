/** Judges a client: `npm run judge-client -- [flags] -- COMMAND ARGS...`; see HELP. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { judgeClient, PATIENCE_MS, type Verdict } from "./judge.ts";
import { loadScenarios, type Scenario } from "./scenario.ts";

const HELP = `Usage: npm run judge-client -- [flags] -- COMMAND ARGS...

Plays every scenario to a client and says of each whether the client did as it must. COMMAND is
started once for each scenario; {hub} in its words becomes the hub's address, and so does CLAW_HUB.
Without COMMAND the TypeScript client of this package is judged.

  --only NAME     this scenario only; may be given several times
  --list          prints the scenarios and what they demand, and judges nobody
  --json          prints one object a line
  --timeout S     how long a single thing is waited for, in seconds (default ${PATIENCE_MS / 1000})
  --jobs N        scenarios at a time (default 8)
  --help

Exit code: 0 all passed, 1 some failed, 2 the command line is wrong.
docs/conformance.md says what COMMAND has to understand.`;

interface Flags {
  only: string[];
  list: boolean;
  json: boolean;
  patienceMs: number;
  jobs: number;
  command: string[];
}

/** The driver of this package's own client. */
const OWN = fileURLToPath(new URL("drivers/typescript/driver.ts", import.meta.url));

const flags = flagsOf(process.argv.slice(2));
if (flags !== undefined) await main(flags);

function flagsOf(words: string[]): Flags | undefined {
  const end = words.indexOf("--");
  const bare = end < 0 && words[0] !== undefined && !words[0].startsWith("-");
  try {
    const { values } = parseArgs({
      args: bare ? [] : words.slice(0, end < 0 ? undefined : end),
      options: {
        only: { type: "string", multiple: true, default: [] },
        list: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        timeout: { type: "string", default: String(PATIENCE_MS / 1000) },
        jobs: { type: "string", default: "8" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return undefined;
    }
    const { only, list, json } = values;
    const patienceMs = positive("--timeout", values.timeout) * 1000;
    const jobs = Math.ceil(positive("--jobs", values.jobs));
    const command = bare ? words : end < 0 ? [] : words.slice(end + 1);
    const judged = command.length > 0 ? command : [process.execPath, OWN];
    return { only, list, json, patienceMs, jobs, command: judged };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exitCode = 2;
    return undefined;
  }
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (number > 0 && number <= 3600) return number;
  throw new Error(`${flag} must be a number greater than 0 and at most 3600, not ${text}`);
}

async function main({ only, list, json, patienceMs, jobs, command }: Flags): Promise<void> {
  const all = loadScenarios();
  const unknown = only.find((name) => !all.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    console.error(`there is no scenario ${unknown}; --list prints them`);
    process.exitCode = 2;
    return;
  }
  const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name));
  if (list) {
    for (const scenario of chosen) console.log(json ? listedAsJson(scenario) : listed(scenario));
    return;
  }
  const verdicts: Verdict[] = [];
  const waiting = chosen.values();
  const work = async () => {
    for (const scenario of waiting) {
      const verdict = await judgeClient(scenario, command, patienceMs);
      verdicts.push(verdict);
      console.log(json ? JSON.stringify(verdict) : told(verdict));
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
  const failed = verdicts.filter(({ passed }) => !passed).length;
  if (!json)
    console.log(`scenarios=${verdicts.length} passed=${verdicts.length - failed} failed=${failed}`);
  process.exitCode = failed > 0 || verdicts.length === 0 ? 1 : 0;
}

function told({ scenario, passed, sentence, complaints }: Verdict): string {
  if (passed) return `ok    ${scenario}`;
  const behind = complaints
    ? `\n      it complained: ${complaints.replaceAll("\n", "\n      ")}`
    : "";
  return `FAIL  ${scenario}\n      ${sentence}${behind}`;
}

function listed({ name, must, rules }: Scenario): string {
  return `${name} (${rules.join(", ")})\n      ${must}`;
}

function listedAsJson({ name, must, rules }: Scenario): string {
  return JSON.stringify({ name, must, rules });
}
