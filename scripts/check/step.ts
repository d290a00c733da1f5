import { spawn } from "node:child_process";
import { join } from "node:path";

/** The repository's folder. */
export const root = join(import.meta.dirname, "../..");

/** What a step found. */
export interface Outcome {
  ok: boolean;
  /** What it looked at, with a count: a step that looks at nothing must not pass for one that found nothing. */
  looked: string;
  /** What to show when it failed. */
  output: string;
}

/** One line of the gate. */
export interface Step {
  name: string;
  run(): Promise<Outcome>;
}

/** How a command ended. */
export interface Ended {
  ok: boolean;
  /** Standard output alone, for reading counts out of it. */
  stdout: string;
  /** Both streams, in the order written, for people. */
  output: string;
}

/** Runs a command in the repository, with the tools of node_modules first on the PATH. */
export function run(command: string, args: string[], cwd: string = root): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const path = `${join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}`;
  const child = spawn(command, args, { cwd, env: { ...process.env, PATH: path, NO_COLOR: "1" } });
  let stdout = "";
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.on("error", (error) =>
    resolve({ ok: false, stdout, output: `${command}: ${error.message}` }),
  );
  child.on("close", (code) => resolve({ ok: code === 0, stdout, output }));
  return promise;
}

/** An outcome that also fails when nothing was looked at. */
export function outcome(
  ended: { ok: boolean; output: string },
  count: number,
  what: string,
): Outcome {
  const looked = `${count} ${what}`;
  if (count > 0) return { ok: ended.ok, looked, output: ended.output };
  return { ok: false, looked, output: `${ended.output}\nLooked at nothing, which shows nothing.` };
}
