import { run } from "../../src/cli/program.js";
import { type CliOptions, type CliResult, jsonLines, testFolder } from "./cli.js";

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs `claw-chat <args>` in this process, one after the other: the same code without the start
 * of a process, for tests of which none is about the process itself.
 */
export function runHere(args: string[], options: Omit<CliOptions, "input"> = {}) {
  const result = turn.then(() => runNow(args, options));
  turn = result.catch(() => undefined);
  return result;
}

async function runNow(args: string[], { env = {}, cwd }: CliOptions): Promise<CliResult> {
  const folder = process.cwd();
  const { exitCode } = process;
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  process.chdir(cwd ?? testFolder());
  try {
    const code = await run(args, env);
    const text = stdout.text();
    return { code, stdout: text, stderr: stderr.text(), json: () => jsonLines(text) };
  } finally {
    stdout.release();
    stderr.release();
    process.chdir(folder);
    process.exitCode = exitCode;
  }
}

/** Keeps what is written to a stream, until it is released. */
function capture(stream: NodeJS.WriteStream): { text(): string; release(): void } {
  const write = stream.write;
  let text = "";
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const taken = rest.find((one) => typeof one === "function");
    if (taken !== undefined) process.nextTick(taken as () => void);
    return true;
  };
  return {
    text: () => text,
    release() {
      stream.write = write;
    },
  };
}
