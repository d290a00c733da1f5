/** Judges a client: `npm run judge-client -- [flags] -- COMMAND ARGS...`; see HELP. */
import { parseArgs } from "node:util";
import { PATIENCE_MS, type Verdict } from "./judge.ts";
import { judgeAll } from "./judge-all.ts";
import { isRole, type Judged, judgedAs, ownCommand, ROLES, type Role } from "./roles.ts";

const HELP = `Usage: npm run judge-client -- [flags] -- COMMAND ARGS...

Plays every scenario to a client and says of each whether the client did as it must. COMMAND is
started once for each scenario; {hub} in its words becomes the hub's address, and so does CLAW_HUB.
Without COMMAND the TypeScript client of this package is judged.

  --as ROLE       what COMMAND is: driver (default), provider or consumer
  --only NAME     this scenario only; may be given several times
  --list          prints the scenarios and what they demand, and judges nobody
  --json          prints one object a line
  --timeout S     how long a single thing is waited for, in seconds (default ${PATIENCE_MS / 1000})
  --jobs N        scenarios at a time (default 4)
  --help

Exit code: 0 all passed, 1 some failed, 2 the command line is wrong.
docs/conformance.md says what COMMAND has to understand, or to do, in each role.`;

interface Flags {
  role: Role;
  only: string[];
  list: boolean;
  json: boolean;
  patienceMs: number;
  jobs: number;
  command: string[];
}

const flags = flagsOf(process.argv.slice(2));
if (flags !== undefined) await main(flags);

function flagsOf(words: string[]): Flags | undefined {
  const end = words.indexOf("--");
  const bare = end < 0 && words[0] !== undefined && !words[0].startsWith("-");
  try {
    const { values } = parseArgs({
      args: bare ? [] : words.slice(0, end < 0 ? undefined : end),
      options: {
        as: { type: "string", default: "driver" },
        only: { type: "string", multiple: true, default: [] },
        list: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        timeout: { type: "string", default: String(PATIENCE_MS / 1000) },
        jobs: { type: "string", default: "4" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return undefined;
    }
    const { as: role, only, list, json } = values;
    if (!isRole(role)) throw new Error(`--as must be one of ${ROLES.join(", ")}`);
    const patienceMs = positive("--timeout", values.timeout) * 1000;
    const jobs = Math.ceil(positive("--jobs", values.jobs));
    const command = bare ? words : end < 0 ? [] : words.slice(end + 1);
    const judged = command.length > 0 ? command : ownCommand(role);
    return { role, only, list, json, patienceMs, jobs, command: judged };
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

async function main({ role, only, list, json, patienceMs, jobs, command }: Flags): Promise<void> {
  const all = judgedAs(role);
  const unknown = only.find((name) => !all.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    console.error(`there is no scenario ${unknown} for a ${role}; --list prints them`);
    process.exitCode = 2;
    return;
  }
  const chosen = all.filter(({ name }) => only.length === 0 || only.includes(name));
  if (list) {
    for (const scenario of chosen) console.log(json ? listedAsJson(scenario) : listed(scenario));
    return;
  }
  const tell = (verdict: Verdict) => console.log(json ? JSON.stringify(verdict) : told(verdict));
  const verdicts = await judgeAll({ scenarios: chosen, command, jobs, patienceMs, tell }).catch(
    (error: Error) => {
      console.error(error.message);
      process.exit(2);
    },
  );
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

function listed({ name, must, rules }: Judged): string {
  return `${name} (${rules.join(", ")})\n      ${must}`;
}

function listedAsJson({ name, must, rules }: Judged): string {
  return JSON.stringify({ name, must, rules });
}
