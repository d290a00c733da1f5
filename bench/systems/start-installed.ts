import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { freePort } from "../../proof/support/free-port.ts";
import { randomFrom } from "../../proof/support/random.ts";
import { freshSeed } from "../../proof/support/whole-number.ts";
import type { Target } from "../load/cast.ts";
import type { System } from "./system.ts";

/** The first version of the NATS server that can sync each message. */
const NATS_MINOR = 10;

/** Redis streams that sync their log at each command; undefined where redis-server is not installed. */
export async function startRedis(folder: string): Promise<System | undefined> {
  if (versionOf("redis-server") === undefined) return undefined;
  const dir = join(folder, "redis");
  mkdirSync(dir);
  const port = await freePort(randomFrom(freshSeed()));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
  const child = run("redis-server", [...args, "--appendonly", "yes", "--appendfsync", "always"]);
  await lineOf(child, child.stdout, /Ready to accept connections/);
  return system(child, "Redis streams, appendfsync always", {
    ...{ protocol: "redis", numbersSeq: false, address: `127.0.0.1:${port}` },
  });
}

/** JetStream that syncs each message; undefined where nats-server is not installed, or is too old for that. */
export async function startJetstream(folder: string): Promise<System | undefined> {
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(versionOf("nats-server") ?? "") ?? [];
  if (Number(major) !== 2 || Number(minor) < NATS_MINOR) return undefined;
  const config = join(folder, "nats.conf");
  const store = JSON.stringify(join(folder, "nats"));
  writeFileSync(
    config,
    `listen: "127.0.0.1:-1"\njetstream { store_dir: ${store}, sync_interval: always }\n`,
  );
  const child = run("nats-server", ["--config", config]);
  const line = await lineOf(child, child.stderr, /Listening for client connections on (\S+)/);
  const address = /connections on (\S+)/.exec(line)?.[1] ?? "";
  return system(child, "NATS JetStream, sync always", {
    ...{ protocol: "jetstream", numbersSeq: false, address },
  });
}

/** What a program says of its version; undefined where it is not installed. */
function versionOf(program: string): string | undefined {
  const { error, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return error === undefined ? stdout : undefined;
}

function run(program: string, args: string[]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/** The first line that fits. */
async function lineOf(child: ChildProcess, stream: Readable, fits: RegExp): Promise<string> {
  for await (const line of createInterface(stream)) {
    if (fits.test(line)) {
      // Nobody reads on, and a full pipe would stop it.
      stream.resume();
      return line;
    }
  }
  throw new Error(`${child.spawnfile} ended before it listened`);
}

function system(child: ReturnType<typeof run>, name: string, target: Target): System {
  const ended = once(child, "close");
  return {
    name,
    target,
    pid: child.pid ?? 0,
    stderr: child.stderr,
    async end() {
      child.kill();
      await ended;
    },
  };
}
