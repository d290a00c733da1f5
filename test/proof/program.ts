import { execFile } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** How a program of the repository ended. */
export interface ProgramEnd {
  code: number;
  stdout: string;
  stderr: string;
  /** The last line of stdout. */
  lastLine: string;
}

/** Runs a TypeScript program of the repository, such as `proof/crash/main.ts`, to its end. */
export function runProgram(program: string, ...args: string[]): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, program), ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, stdout, stderr, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "" });
    });
  });
}
