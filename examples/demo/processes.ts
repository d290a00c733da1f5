import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Report } from "./report.ts";

const STOP_PATIENCE_MS = 10_000;
const BIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** A hub in a process of its own. */
export interface HubProcess {
  /** Where it listens, such as 127.0.0.1:43211. */
  address: string;
  /** The file it stores in. */
  db: string;
  /** Ends it as an operator would, and waits. */
  stop(): Promise<void>;
}

/** Starts a hub on a free port and a database in the folder. */
export async function startHub(folder: string, signal: AbortSignal): Promise<HubProcess> {
  const args = ["serve", "--listen", "127.0.0.1:0", "--db", "demo.db", "--json"];
  const hub = spawn(process.execPath, [BIN, ...args, "--log-level", "warn"], {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await firstLine(hub, signal).catch(async (error) => {
    await stop(hub, "the hub").catch(() => {});
    throw error;
  });
  const { address, db }: { address: string; db: string } = JSON.parse(line);
  return { address, db, stop: () => stop(hub, "the hub") };
}

/** An agent in a process of its own. */
export interface AgentProcess {
  /** Asks it to end (SIGTERM), and waits. */
  stop(): Promise<void>;
  /** Waits until it has ended by itself. */
  ended(): Promise<void>;
}

/** Starts an agent; what it reports goes to `hear`, a bad end of it to `failed`. */
export function startAgent(
  agentId: string,
  script: string,
  args: string[],
  to: { hear(report: Report): void; failed(error: Error): void },
): AgentProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const agent = fork(path, args, { env: plainEnvironment() });
  // Node's IPC carries what report.ts sends, and nothing else.
  agent.on("message", (report) => to.hear(report as Report));
  agent.on("error", to.failed);
  agent.on("exit", (code, signal) => {
    if (code !== 0) to.failed(new Error(`${agentId} ended with ${signal ?? `exit code ${code}`}`));
  });
  return { stop: () => stop(agent, agentId), ended: () => ended(agent, agentId) };
}

async function stop(child: ChildProcess, name: string): Promise<void> {
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE_MS);
  await ended(child, name).finally(() => clearTimeout(patience));
}

async function ended(child: ChildProcess, name: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  if (child.exitCode === 0) return;
  throw new Error(`${name} ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
}

async function firstLine(child: ChildProcess, signal: AbortSignal): Promise<string> {
  if (child.stdout === null) throw new Error("the hub's output is not piped");
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line", { signal }),
    // Its output ends when it does; after a line that is of no interest.
    once(lines, "close").then(() => []),
  ]);
  if (line === undefined) throw new Error("the hub ended before it listened");
  return String(line);
}

/** The environment without settings meant for another hub. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith("CLAW_")),
  );
}
