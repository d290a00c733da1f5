import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The built command, as it is installed. */
export const CLAW_CHAT = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** How a hub is started. */
export interface HubProcessOptions {
  /** The database file. */
  db: string;
  /** `127.0.0.1:port`; default a free port. */
  listen?: string;
  /** More flags of `claw-chat serve`. */
  args?: string[];
  /** Flags of Node.js itself, such as `--import`. */
  nodeArgs?: string[];
  /** A program that runs it, such as `["strace", "-f"]`. */
  under?: string[];
  /** The command of another build. Default CLAW_CHAT. */
  command?: string;
  env?: Record<string, string>;
}

/** A hub that runs as a process of its own. */
export interface HubProcess {
  readonly child: ChildProcess;
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** What it wrote to stderr so far, its last 64 KiB. */
  log(): string;
  /** Its end. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Sends a signal, SIGKILL where none is named, and waits for its end. */
  end(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** One that does not serve by then never will, also on a busy machine and under strace. */
const SERVES_WITHIN_MS = 60_000;
const LOG_CHARS = 64 * 1024;
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts `claw-chat serve` and resolves when it has said where it listens.
 * @throws Error when it ends before that, or has not said it within a minute
 */
export async function startHubProcess(options: HubProcessOptions): Promise<HubProcess> {
  const { db, listen = "127.0.0.1:0", command = CLAW_CHAT } = options;
  const { args = [], nodeArgs = [], under = [], env = {} } = options;
  const words = [
    ...under,
    process.execPath,
    ...nodeArgs,
    command,
    ...["serve", "--listen", listen, "--db", db, "--json", "--log-format", "json", ...args],
  ];
  const child = spawn(words[0] ?? "", words.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  running.add(child);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-LOG_CHARS);
  });
  const ended = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, SERVES_WITHIN_MS);
  const line = await Promise.race([
    once(createInterface(child.stdout), "line").then(([first]) => String(first)),
    ended.then(({ code, signal }) => {
      if (late) throw new Error(`the hub did not serve within ${SERVES_WITHIN_MS} ms: ${log}`);
      throw new Error(`the hub ended (${signal ?? code}) before it served: ${log}`);
    }),
  ]).finally(() => clearTimeout(timer));
  return {
    child,
    address: String(JSON.parse(line).address),
    log: () => log,
    ended,
    end(signal = "SIGKILL") {
      child.kill(signal);
      return ended;
    },
  };
}
