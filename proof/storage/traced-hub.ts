import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type HubProcess, startHubProcess } from "../support/hub-process.ts";

/** A hub whose calls on its files are traced, and some of them made to fail. */
export interface TracedHub {
  process: HubProcess;
  db: string;
  trace(): string;
}

/** EXIT.storage of claw-chat. */
export const STORAGE_EXIT = 5;
/** What this machine lacks for it. */
export const lackingStrace = () =>
  spawnSync("strace", ["-V"]).error === undefined ? undefined : "strace";
const NO_THREADS = fileURLToPath(new URL("no-threads.ts", import.meta.url));

/**
 * @param of.onlyTheFile what happens to the database file alone is traced, counted and made to fail,
 *   and it is there already. strace counts for each thread: until the hub ends, only the thread that copies
 *   the log syncs it then
 */
export async function startTraced(
  folder: string,
  injection: string[],
  { onlyTheFile = false, threads = true } = {},
): Promise<TracedHub> {
  mkdirSync(folder);
  const file = join(folder, "trace");
  const db = join(folder, "hub.db");
  if (onlyTheFile) await (await startHubProcess({ db })).end("SIGTERM");
  const what = "trace=fsync,fdatasync,pwrite64,ftruncate,unlink,rename";
  const under = ["strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-y", "-o", file, "-e", what];
  const process = await startHubProcess({
    db,
    under: [...under, ...injection, ...(onlyTheFile ? ["-P", db] : [])],
    nodeArgs: threads ? [] : ["--import", NO_THREADS],
  });
  return { process, db, trace: () => readFileSync(file, "utf8") };
}

/** The process under strace, and its first thread. */
export function mainThreadOf(hub: HubProcess): number {
  const children = readFileSync(`/proc/${hub.child.pid}/task/${hub.child.pid}/children`, "utf8");
  const pid = Number(children.trim().split(" ")[0]);
  if (!(pid > 0)) throw new Error("strace has no child");
  return pid;
}

/** Tells the hub under strace, which passes no signal on to it, to stop. */
export function stopTraced(hub: HubProcess): void {
  process.kill(mainThreadOf(hub), "SIGTERM");
}

/** The same, and waits for its end. */
export async function endTraced(hub: HubProcess): Promise<void> {
  stopTraced(hub);
  await hub.ended;
}

/** Whose call a line of the trace is. */
export const threadOf = (line: string) => Number(line.split(" ")[0]);

/** The calls on the database and its log. */
export function callsIn(trace: string): string[] {
  return trace.split("\n").filter((line) => /hub\.db(-wal)?[>"]/.test(line));
}
