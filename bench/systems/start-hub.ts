import { execFile } from "node:child_process";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { CLAW_CHAT, startHubProcess } from "../../proof/support/hub-process.ts";
import type { System } from "./system.ts";

const run = promisify(execFile);

/** Limits stay on, but the few agents of a benchmark may do what thousands would do elsewhere. */
const ROOM = [
  ...["--max-frames-per-second", "10000000", "--max-bytes-per-second", "4000000000"],
  ...["--max-connections-per-address", "100000", "--max-connections", "100000"],
];

/** Makes an API key for all agents of the benchmark: from then on the hub asks for credentials. */
async function createKey(db: string): Promise<string> {
  const words = [CLAW_CHAT, "keys", "create", "bench-*", "--db", db, "--json"];
  const { stdout } = await run(process.execPath, words);
  return String(JSON.parse(stdout).key);
}

/**
 * Starts this hub as it is installed: a process of its own on a database file, synced at every
 * commit, with credentials and every rule.
 * @param of.db its database file; made where it is missing
 * @param of.nodeArgs flags of Node.js itself
 * @param of.under a program that runs it
 */
export async function startHub(of: {
  db: string;
  name?: string;
  nodeArgs?: string[];
  under?: string[];
  env?: Record<string, string>;
}): Promise<System> {
  const { db, name = "this hub", ...options } = of;
  const apiKey = await createKey(db);
  const hub = await startHubProcess({ db, args: ROOM, ...options });
  const { address } = hub;
  return {
    name,
    target: { protocol: "grpc", numbersSeq: true, address, apiKey },
    pid: hub.child.pid ?? 0,
    stderr: hub.child.stderr as Readable,
    async end() {
      const { code } = await hub.end("SIGTERM");
      if (code !== 0) throw new Error(`the hub ended with ${code}: ${hub.log()}`);
    },
  };
}
