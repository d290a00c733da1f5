import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomFrom } from "../support/random.ts";
import { backupUnderLoad } from "./backup-under-load.ts";
import { byteFlips } from "./byte-flips.ts";
import type { StorageCase } from "./case.ts";
import { diskFull } from "./disk-full.ts";
import { ioErrors } from "./io-errors.ts";
import { locked } from "./locked.ts";
import { longReader } from "./long-reader.ts";
import { stoppedInCopy } from "./stopped-in-copy.ts";

const CASES: StorageCase[] = [
  diskFull,
  ioErrors,
  stoppedInCopy,
  byteFlips,
  locked,
  longReader,
  backupUnderLoad,
];

const HELP = `node proof/storage/main.ts [--only <case>] [--seed <n>] [--scale <n>]

Proves that storage trouble loses nothing that has a receipt: a full disk, failing calls, damaged
bytes, a locked database, a long reader, and a backup taken under load.

${CASES.map(({ name, proves }) => `  ${name.padEnd(18)} ${proves}`).join("\n")}

  --only <case>   only this one
  --seed <n>      repeats the choices of an earlier run
  --scale <n>     so many times the rounds, default 1
  --allow-lacking exit code 0 where this machine lacks a tool and the other cases have held

Exit codes: 0 held, 1 broken or proved nothing, 2 wrong usage, 3 this machine lacks a tool: those
cases were skipped, the last line names them, and the others have held`;

process.exit(await main());

async function main(): Promise<number> {
  let values: ReturnType<typeof read>;
  try {
    values = read();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return 2;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const cases = CASES.filter(({ name }) => values.only === undefined || values.only === name);
  if (cases.length === 0) {
    console.error(`no case has this name. Cases: ${CASES.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const { seed, scale } = values;
  const folder = mkdtempSync(join(tmpdir(), "claw-storage-"));
  const broken: string[] = [];
  const skipped = new Map<string, string>();
  const figures: string[] = [];
  for (const one of cases) {
    const tool = one.lacking?.();
    if (tool !== undefined) {
      skipped.set(one.name, tool);
      console.error(`${one.name}: skipped, this machine lacks ${tool}`);
      continue;
    }
    const violations = await runCase(one, { folder, seed, scale, figures });
    if (violations.length === 0) continue;
    broken.push(one.name);
    for (const violation of violations) console.log(`${one.name}: ${violation}`);
    console.log(
      `again: node proof/storage/main.ts --only ${one.name} --seed ${seed} --scale ${scale}`,
    );
  }
  if (broken.length > 0) console.log(`what was left behind: ${folder}`);
  else rmSync(folder, { recursive: true });
  const held = cases.length - broken.length - skipped.size;
  const lacking = `lacking=${[...new Set(skipped.values())]}`;
  // A line of nothing but that says that nothing was run.
  if (held === 0 && broken.length === 0) console.log(lacking);
  else {
    console.log(
      [
        `cases=${cases.length} held=${held} broken=${broken.length}`,
        ...figures,
        `seed=${seed}`,
        ...(skipped.size > 0 ? [`skipped=${[...skipped.keys()]} ${lacking}`] : []),
      ].join(" "),
    );
  }
  if (broken.length > 0) return 1;
  if (held === 0) return 3;
  return skipped.size > 0 && !values["allow-lacking"] ? 3 : 0;
}

function read() {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      seed: { type: "string" },
      scale: { type: "string" },
      "allow-lacking": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const whole = (name: "seed" | "scale", otherwise: number) => {
    const text = values[name];
    if (text === undefined) return otherwise;
    if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} is a whole number`);
    return Number(text);
  };
  return {
    ...values,
    seed: whole("seed", Math.floor(Math.random() * 1e9)),
    scale: Math.max(1, whole("scale", 1)),
  };
}

async function runCase(
  one: StorageCase,
  of: { folder: string; seed: number; scale: number; figures: string[] },
): Promise<string[]> {
  const violations: string[] = [];
  const folder = join(of.folder, one.name);
  mkdirSync(folder);
  const startedAtMs = performance.now();
  try {
    const figures = await one.run({
      folder,
      random: randomFrom(of.seed),
      scale: of.scale,
      progress: (text) => console.error(`${one.name}: ${text}`),
      violated: (text) => violations.push(text),
    });
    for (const [name, value] of Object.entries(figures)) of.figures.push(`${name}=${value}`);
  } catch (error) {
    violations.push(`it could not be run to its end: ${String(error)}`);
  }
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.error(`${one.name}: ${violations.length === 0 ? "held" : "broken"}, ${seconds} s`);
  // A file system that is still mounted cannot be removed.
  if (one === diskFull) spawnSync("umount", [join(folder, "disk")]);
  return violations;
}
