import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { Validator } from "./validators.ts";
import type { Ended } from "./verdict.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const REGISTER = new URL("../patches/register.ts", import.meta.url).href;
const OUTPUT_CHARS = 1024 * 1024;

/** Processes that lead a group. */
const running = new Set<number>();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const leader of running) endGroup(leader);
    process.exit(1);
  });
}

/** The words that run a validator with a seed, without Node itself. */
export function wordsOf(validator: Validator, seed: number): string[] {
  const by = validator.seed;
  return by !== undefined && "flag" in by
    ? [...validator.words, by.flag, String(seed)]
    : [...validator.words];
}

/**
 * Runs a validator, with a mutant in every process below it that loads the built package, and in
 * the sources that its tests import.
 */
export async function runValidator(of: {
  validator: Validator;
  seed: number;
  mutant: string;
  limitMs: number;
}): Promise<Ended> {
  const { validator, seed, mutant } = of;
  const by = validator.seed;
  // One that fails, as it is to, keeps its files.
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-mutant-"));
  const child = spawn(process.execPath, wordsOf(validator, seed), {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that what it has started ends with it.
    detached: true,
    env: {
      ...process.env,
      ...validator.env,
      ...(by !== undefined && "variable" in by && { [by.variable]: String(seed) }),
      TMPDIR: folder,
      MUTANT: mutant,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${REGISTER}`.trim(),
    },
  });
  if (child.pid !== undefined) running.add(child.pid);
  let output = "";
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(-OUTPUT_CHARS);
    output = (output + text).slice(-OUTPUT_CHARS);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-OUTPUT_CHARS);
  });
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    endGroup(child.pid);
  }, of.limitMs);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  endGroup(child.pid);
  if (child.pid !== undefined) running.delete(child.pid);
  const lastLine = stripVTControlCharacters(stdout).trimEnd().split("\n").at(-1) ?? "";
  return { code, output: stripVTControlCharacters(output), lastLine, overdue, folder };
}

/** Ends whatever is left of a process and those it has started. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left of it.
  }
}
