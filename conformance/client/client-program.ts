import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { JsonObject } from "./contract.ts";

const STDERR_CHARS = 2_000;

/** The program under judgement. */
export interface ClientProgram {
  /** Gives an instruction: one line of JSON. */
  tell(instruction: JsonObject): void;
  /** Ends its standard input. */
  hangUp(): void;
  signal(name: NodeJS.Signals): void;
  /** All it has printed. */
  readonly printed: string;
  /** The end of what it wrote to standard error. */
  readonly complaints: string;
  /** Kills it if it still runs, and waits for its end. */
  end(): Promise<void>;
}

/**
 * Starts the program with `{hub}` in its words replaced by the hub's address, which CLAW_HUB
 * holds as well.
 * @throws Error when there is no such command
 */
export async function startClientProgram(of: {
  command: readonly string[];
  hub: string;
  env: Record<string, string>;
  /** A line of standard output that is a JSON object. */
  event: (event: JsonObject) => void;
  exited: (code: number | null, signal: NodeJS.Signals | null) => void;
}): Promise<ClientProgram> {
  const [file = "", ...words] = of.command.map((word) => word.replaceAll("{hub}", of.hub));
  const child = spawn(file, words, {
    env: { ...process.env, CLAW_HUB: of.hub, ...of.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let printed = "";
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-STDERR_CHARS);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    printed += `${line}\n`;
    const event = eventOf(line);
    if (event !== undefined) of.event(event);
  });
  // It may end before it has read everything.
  child.stdin.on("error", () => {});
  const closed = once(child, "close").then(([code, signal]) => of.exited(code, signal));
  closed.catch(() => {});
  await once(child, "spawn");
  return {
    tell: (instruction) => void child.stdin.write(`${JSON.stringify(instruction)}\n`),
    hangUp: () => void child.stdin.end(),
    signal: (name) => void child.kill(name),
    get printed() {
      return printed;
    },
    get complaints() {
      return complaints.trim();
    },
    async end() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** What a line says; undefined where it is none for the judge. */
function eventOf(line: string): JsonObject | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
