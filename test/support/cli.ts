import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command, as it is installed. */
const BIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** How a command is run. */
export interface CliOptions {
  /** CLAW_* and other variables; the test's own CLAW_* are not passed on. */
  env?: Record<string, string>;
  /** What it reads from stdin. */
  input?: string | Buffer;
  /** Its folder: an empty one where left out, so that no config file is found. */
  cwd?: string;
}

/** What a command left behind. */
export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Its stdout read as JSON lines. */
  json(): Record<string, unknown>[];
}

/** A command that runs. */
export interface CliProcess {
  child: ChildProcess;
  /** Resolves when this stream has said something that fits; rejects when the command ends before. */
  said(stream: "stdout" | "stderr", pattern: RegExp): Promise<string>;
  /** Its end. */
  result: Promise<CliResult>;
}

const folders: string[] = [];
const children = new Set<ChildProcess>();

/** A folder for one test; removed by endCli. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-cli-"));
  folders.push(folder);
  return folder;
}

/** Ends what tests left running, and removes their folders: call it in afterAll. */
export async function endCli(): Promise<void> {
  const ends = [...children].map(async (child) => {
    const end = once(child, "exit");
    child.kill("SIGKILL");
    await end;
  });
  await Promise.all(ends);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Starts `claw-chat <args>`. */
export function startCli(args: string[], options: CliOptions = {}): CliProcess {
  return startScript(BIN, args, options);
}

/** Runs `claw-chat <args>` to its end. */
export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}

/** Starts a script with this Node. */
export function startScript(script: string, args: string[], options: CliOptions = {}): CliProcess {
  return startProgram(process.execPath, [script, ...args], options);
}

/** Starts any program. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: CliOptions = {},
): CliProcess {
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(CLAW_|NO_COLOR$|FORCE_COLOR$)/.test(key),
  );
  const child = spawn(program, args, {
    cwd: options.cwd ?? testFolder(),
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: "pipe",
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.stdin.on("error", () => {}).end(options.input ?? "");

  const texts = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of [...watchers]) watcher();
  };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
      wake();
    });
  }
  const result = once(child, "close").then(([code]): CliResult => {
    wake();
    const { stdout, stderr } = texts;
    return { code, stdout, stderr, json: () => jsonLines(stdout) };
  });
  const said = (stream: "stdout" | "stderr", pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(texts[stream]);
        if (match === null) return;
        watchers.delete(look);
        resolve(match[0]);
      };
      watchers.add(look);
      look();
      result.then(({ code, stderr }) =>
        reject(new Error(`it ended (${code}) before it said ${pattern}: ${stderr}`)),
      );
    });
  return { child, said, result };
}

/** A hub that runs as `claw-chat serve`. */
export interface ServedHub extends CliProcess {
  /** Where it listens, such as 127.0.0.1:43211. */
  address: string;
  /** What it announced. */
  announced: Record<string, unknown>;
}

/** Starts a hub on a free port; on a database in a folder of its own where args name none. */
export async function startServe(
  args: string[] = [],
  options: CliOptions = {},
): Promise<ServedHub> {
  const served = startCli(["serve", "--listen", "127.0.0.1:0", "--json", ...args], options);
  const line = await served.said("stdout", /^.*\n/);
  const announced: Record<string, unknown> = JSON.parse(line);
  return { ...served, announced, address: String(announced.address) };
}

/** Reads JSON lines. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
