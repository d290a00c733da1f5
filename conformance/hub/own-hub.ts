import { execFile, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ChannelCredentials } from "@grpc/grpc-js";
import Database from "better-sqlite3";
import { CLAW_CHAT, type HubProcess, startHubProcess } from "../../proof/support/hub-process.ts";
import type { HubControl, HubUnderTest } from "./hub-under-test.ts";
import type { Profile } from "./own-profiles.ts";

const run = promisify(execFile);
/** Of hubs that run. */
const folders = new Set<string>();
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * Starts this repository's hub as a process.
 * @param of.run as in the names of agents
 * @throws Error when it does not serve
 */
export async function startOwnHub(
  profile: Profile,
  of: { run: string; env?: Record<string, string>; nodeArgs?: string[] },
): Promise<HubUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-conformance-"));
  folders.add(folder);
  const db = profile.file === true ? join(folder, "hub.db") : ":memory:";
  const start = (listen: string) =>
    startHubProcess({
      ...{ db, listen, args: [...profile.args, "--log-level", "error"] },
      ...(profile.smallDisk === true && { under: onSmallDisk(folder) }),
      env: of.env ?? {},
      nodeArgs: of.nodeArgs ?? [],
    });
  let hub = await start("127.0.0.1:0");
  const { address } = hub;
  const control = profile.file === true ? controlOf(db, () => hub, start) : {};
  const keys = profile.has.includes("credentials") ? await makeKeys(control, of.run) : {};

  function controlOf(path: string, current: () => HubProcess, again: typeof start): HubControl {
    return {
      ...databaseControl(path),
      beginStop: () => void current().child.kill("SIGTERM"),
      async stop() {
        await current().end("SIGTERM");
      },
      async crash() {
        await current().end("SIGKILL");
      },
      async start() {
        hub = await again(address);
      },
    };
  }

  return {
    address,
    credentials: ChannelCredentials.createInsecure(),
    has: new Set(profile.has),
    ...keys,
    control,
    async close() {
      control.unlock?.();
      await hub.end();
      await rm(folder, { recursive: true, force: true });
      folders.delete(folder);
    },
  };
}

/** Runs a program where a folder is a disk of 1 MiB, which nobody else sees and which goes with it. */
function onSmallDisk(folder: string): string[] {
  const mount = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"';
  return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, folder];
}

/** Whether this machine lets the runner make such a disk. */
export function canMakeSmallDisk(): boolean {
  const [command = "", ...words] = [...onSmallDisk(tmpdir()), "true"];
  return spawnSync(command, words).status === 0;
}

/** What other processes do to the database file of a hub that runs. */
function databaseControl(path: string): HubControl {
  const ids = new Map<string, string>();
  let lock: Database.Database | undefined;
  const keys = async (...words: string[]) => {
    const { stdout } = await run(process.execPath, [
      CLAW_CHAT,
      "keys",
      ...words,
      "--db",
      path,
      "--json",
    ]);
    return JSON.parse(stdout) as { key: string; key_id: string };
  };
  return {
    async createKey({ agents, role, expires }) {
      const until = expires === "" ? [] : ["--expires", expires];
      const made = await keys("create", agents, "--role", role, ...until);
      ids.set(made.key, made.key_id);
      return made.key;
    },
    async revokeKey(key) {
      await keys("revoke", ids.get(key) ?? "");
    },
    lock() {
      lock = new Database(path);
      lock.exec("BEGIN IMMEDIATE");
    },
    unlock() {
      lock?.close();
      lock = undefined;
    },
  };
}

async function makeKeys(
  { createKey }: HubControl,
  runName: string,
): Promise<{ agentKey?: string; adminKey?: string }> {
  if (createKey === undefined) return {};
  const [agentKey, adminKey] = await Promise.all([
    createKey({ agents: "cf-*", role: "agent", expires: "" }),
    createKey({ agents: `cf-${runName}-admin`, role: "admin", expires: "" }),
  ]);
  return { agentKey, adminKey };
}
