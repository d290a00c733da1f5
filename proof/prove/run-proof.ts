import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Proof } from "./proofs.ts";

/** What came of a proof. */
export interface ProofResult {
  name: string;
  /** partly: what could be run has held, and this machine lacks a tool for the rest. */
  verdict: "held" | "broken" | "partly" | "lacking";
  seconds: number;
  /** Its last line: the figures, or what this machine lacks. */
  figures: string;
  /** The command as it would be typed. */
  command: string;
}

/** A proof that hangs has not held. */
const LIMIT_MS = 30 * 60_000;
/** A program's exit code when the machine lacks a tool it needs. */
const LACKING = 3;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs one proof to its end; what it says goes to stderr as it comes. */
export async function runProof(proof: Proof, long: boolean): Promise<ProofResult> {
  const words = (long ? proof.long : undefined) ?? proof.command;
  const env = { ...proof.env, ...(long && proof.longEnv) };
  const startedAt = performance.now();
  const child = spawn(words[0] ?? "", words.slice(1), {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      ...env,
      PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH ?? ""}`,
      NO_COLOR: "1",
    },
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    process.stderr.write(text);
  });
  const limit = long ? undefined : setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const [code] = await Promise.race([
    once(child, "close"),
    once(child, "error").then(([error]) => Promise.reject(error)),
  ]);
  clearTimeout(limit);
  const figures = figuresOf(stdout, proof.also ?? []);
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    name: proof.name,
    verdict: verdictOf(code, figures),
    seconds: (performance.now() - startedAt) / 1000,
    figures,
    command: [...settings, ...words].join(" "),
  };
}

function verdictOf(code: number | null, figures: string): ProofResult["verdict"] {
  if (code === 0) return "held";
  if (code !== LACKING) return "broken";
  return figures.startsWith("lacking=") ? "lacking" : "partly";
}

/**
 * The last line, of vitest's report the one that counts the tests; and behind it some figures of
 * the lines before.
 */
function figuresOf(stdout: string, also: readonly string[]): string {
  const lines = stdout.trimEnd().split("\n");
  const tests = lines.find((line) => /^\s+Tests\s/.test(line));
  const last = (tests ?? lines.at(-1) ?? "").trim();
  const words = stdout.split(/\s+/);
  const more = also.flatMap((name) => words.findLast((word) => word.startsWith(`${name}=`)) ?? []);
  return [last, ...more].join(" ");
}
