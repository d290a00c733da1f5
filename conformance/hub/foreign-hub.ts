import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { ChannelCredentials, Client } from "@grpc/grpc-js";
import type { HubControl, HubUnderTest } from "./hub-under-test.ts";
import type { Need } from "./needs.ts";
import { WrongUsage } from "./wrong-usage.ts";

/** What the operator of a hub says about it. */
export interface ForeignOptions {
  agentKey?: string;
  adminKey?: string;
  /** Shell commands. */
  createKey?: string;
  revokeKey?: string;
  startCommand?: string;
  caCert?: string;
  has: Need[];
}

/** A hub that a command starts may take its time. */
const SERVES_WITHIN_MS = 60_000;
const STEP_MS = 500;
const run = promisify(execFile);

/**
 * A hub that somebody else runs, or that a command of theirs runs.
 * @param options.patienceMs how long to wait until it is reached, where it runs already
 * @throws WrongUsage when it cannot be reached
 */
export async function openForeignHub(
  address: string,
  options: ForeignOptions & { patienceMs: number },
): Promise<HubUnderTest> {
  const { agentKey, adminKey, createKey, revokeKey, startCommand, caCert } = options;
  const credentials = credentialsOf(caCert);
  const command = startCommand === undefined ? undefined : supervised(startCommand);
  const withinMs = command === undefined ? options.patienceMs : SERVES_WITHIN_MS;
  const serves = () =>
    waitUntilReached({ address, credentials, withinMs, failed: command?.failed() });
  const control: HubControl = {
    ...(command !== undefined && {
      beginStop: () => command.terminate(),
      stop: () => command.stop("SIGTERM"),
      crash: () => command.stop("SIGKILL"),
      async start() {
        command.start();
        await serves();
      },
    }),
    ...(createKey !== undefined && {
      async createKey({ agents, role, expires }) {
        const env = { AGENTS: agents, ROLE: role, EXPIRES: expires };
        return (await shell(createKey, env)).trim().split("\n").at(-1) ?? "";
      },
    }),
    ...(revokeKey !== undefined && {
      async revokeKey(key) {
        await shell(revokeKey, { KEY: key });
      },
    }),
  };
  command?.start();
  await serves();
  const has = new Set<Need>(options.has);
  has.add(agentKey === undefined ? "open" : "credentials");
  if (!has.has("no-direct-chats")) has.add("direct-chats");
  if (!has.has("small-limits")) has.add("usual-limits");
  if (adminKey !== undefined) has.add("admin");
  if (createKey !== undefined && revokeKey !== undefined) has.add("key-making");
  if (startCommand !== undefined) has.add("restart");
  return {
    ...{ address, credentials, has, agentKey, adminKey, control },
    close: async () => command?.stop("SIGTERM"),
  };
}

function credentialsOf(caCert: string | undefined): ChannelCredentials {
  if (caCert === undefined) return ChannelCredentials.createInsecure();
  try {
    return ChannelCredentials.createSsl(readFileSync(caCert));
  } catch (cause) {
    throw new WrongUsage(`--ca-cert ${caCert} cannot be used: ${String(cause)}`, { cause });
  }
}

async function waitUntilReached(of: {
  address: string;
  credentials: ChannelCredentials;
  withinMs: number;
  /** Rejects when that will never be. */
  failed: Promise<never> | undefined;
}): Promise<void> {
  const { address, credentials, withinMs, failed } = of;
  const client = new Client(address, credentials, { "grpc.max_reconnect_backoff_ms": 200 });
  const ready = promisify(client.waitForReady.bind(client));
  const untilMs = Date.now() + withinMs;
  let over = false;
  // In steps, for grpc-js keeps the process alive until a deadline that nobody waits for any more.
  const reached = async (): Promise<void> => {
    const stepMs = Math.min(untilMs, Date.now() + STEP_MS);
    await ready(stepMs).catch((cause: unknown) => {
      if (over) return undefined;
      if (stepMs < untilMs) return reached();
      const message = `no hub was reached at ${address} within ${withinMs / 1000} s`;
      throw new WrongUsage(message, { cause });
    });
  };
  try {
    await (failed === undefined ? reached() : Promise.race([reached(), failed]));
  } finally {
    over = true;
    client.close();
  }
}

async function shell(command: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await run("sh", ["-c", command], { env: { ...process.env, ...env } });
  return stdout;
}

/** A hub that a command runs in the foreground. */
function supervised(command: string) {
  let child: ChildProcess | undefined;
  process.once("exit", () => child?.kill("SIGKILL"));
  return {
    start() {
      child = spawn("sh", ["-c", `exec ${command}`], { stdio: ["ignore", "ignore", "inherit"] });
    },
    /** Rejects when it has ended by itself. */
    async failed(): Promise<never> {
      const [code, signal] = await once(child as ChildProcess, "exit");
      throw new WrongUsage(`the hub ended (${signal ?? code}) before it served: ${command}`);
    },
    terminate: () => void child?.kill("SIGTERM"),
    async stop(signal: NodeJS.Signals) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
  };
}
