import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { ChannelCredentials, Client } from "@grpc/grpc-js";
import type { HubControl, HubUnderTest } from "./hub-under-test.ts";
import type { Need } from "./needs.ts";

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

const SERVES_WITHIN_MS = 60_000;
const run = promisify(execFile);

/**
 * A hub that somebody else runs, or that a command of theirs runs.
 * @throws Error when it cannot be reached within a minute
 */
export async function openForeignHub(
  address: string,
  options: ForeignOptions,
): Promise<HubUnderTest> {
  const { agentKey, adminKey, createKey, revokeKey, startCommand, caCert } = options;
  const credentials =
    caCert === undefined
      ? ChannelCredentials.createInsecure()
      : ChannelCredentials.createSsl(readFileSync(caCert));
  const process = startCommand === undefined ? undefined : supervised(startCommand);
  const serves = () => waitUntilReached(address, credentials);
  const control: HubControl = {
    ...(process !== undefined && {
      beginStop: () => process.terminate(),
      stop: () => process.stop("SIGTERM"),
      crash: () => process.stop("SIGKILL"),
      async start() {
        process.start();
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
  process?.start();
  await serves();
  const has = new Set<Need>(options.has);
  has.add(agentKey === undefined ? "open" : "credentials");
  if (!has.has("no-direct-chats")) has.add("direct-chats");
  if (adminKey !== undefined) has.add("admin");
  if (createKey !== undefined && revokeKey !== undefined) has.add("key-making");
  if (startCommand !== undefined) has.add("restart");
  return {
    ...{ address, credentials, has, agentKey, adminKey, control },
    close: async () => process?.stop("SIGTERM"),
  };
}

async function waitUntilReached(address: string, credentials: ChannelCredentials): Promise<void> {
  const client = new Client(address, credentials, { "grpc.max_reconnect_backoff_ms": 200 });
  try {
    await promisify(client.waitForReady.bind(client))(Date.now() + SERVES_WITHIN_MS);
  } catch (cause) {
    throw new Error(`no hub was reached at ${address}`, { cause });
  } finally {
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
  return {
    start() {
      child = spawn("sh", ["-c", `exec ${command}`], { stdio: ["ignore", "ignore", "inherit"] });
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
