import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type HubProcess, startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, type StorageCase, soon } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";

/** EXIT.storage of claw-chat. */
const STORAGE_EXIT = 5;
const MESSAGES = 60;
/** Large, so that the log is copied into the file meanwhile, and that is synced too. */
const CONTENT = "x".repeat(128 * 1024);
const AT_ONCE = 4;

/** A call that is made to fail, once or a few times in a row. */
interface Injection {
  call: "fsync" | "pwrite64";
  error: "EIO" | "ENOSPC";
  times: number;
  /** Where the log is copied into the file, not at a commit. */
  ofTheFile?: true;
}
const INJECTIONS: Injection[] = [
  { call: "fsync", error: "EIO", times: 1 },
  { call: "pwrite64", error: "ENOSPC", times: 1 },
  { call: "fsync", error: "EIO", times: 1, ofTheFile: true },
  { call: "pwrite64", error: "EIO", times: 1 },
  { call: "fsync", error: "ENOSPC", times: 1 },
  { call: "pwrite64", error: "ENOSPC", times: 12 },
];

/** Calls that fail, at places of their own in each round. */
export const ioErrors: StorageCase = {
  name: "io-errors",
  proves:
    "after a failed sync nothing is promised or written and the hub ends; a failed write is refused",
  lacking: () => (spawnSync("strace", ["-V"]).error === undefined ? undefined : "strace"),
  run: failCalls,
};

async function failCalls(context: CaseContext): Promise<Record<string, number>> {
  const rounds = INJECTIONS.length * context.scale;
  const calls = await countCalls(context, AT_ONCE);
  // One after another, so that the calls of two runs are the same.
  const { fsync } = await countCalls(context, 1);
  const figures = {
    io_rounds: rounds,
    io_hits: 0,
    io_ends: 0,
    io_file_syncs: 0,
    io_refused: 0,
    io_receipts: 0,
  };
  for (let round = 0; round < rounds; round += 1) {
    const injection = INJECTIONS[round % INJECTIONS.length];
    if (injection === undefined) throw new Error("there is no injection");
    const { start, whole } = calls[injection.call];
    const at = injection.ofTheFile
      ? context.random.pick(fsync.fileSyncs)
      : context.random.int(start + 1, whole);
    const result = await oneRound(context, { round, injection, at });
    figures.io_hits += result.hit ? 1 : 0;
    figures.io_ends += result.ended ? 1 : 0;
    figures.io_file_syncs += result.ofTheFile ? 1 : 0;
    figures.io_refused += result.refused;
    figures.io_receipts += result.receipts;
    const { call, error, times } = injection;
    context.progress(
      `round ${round + 1} of ${rounds}: ${times} × ${call} ${error} at ${at}, ` +
        `${result.receipts} receipts, ${result.refused} refused${result.ended ? ", it ended" : ""}` +
        `${result.ofTheFile ? " over the file" : ""}`,
    );
  }
  // What never happened proves nothing; a few places lie behind the last call of their round.
  if (figures.io_hits < rounds / 2)
    context.violated(`only ${figures.io_hits} calls were made fail`);
  if (figures.io_file_syncs === 0)
    context.violated("no sync of the database file was made to fail");
  return figures;
}

interface Counted {
  start: number;
  whole: number;
  /** Which of them sync the database file itself. */
  fileSyncs: number[];
}

/** How many calls of each kind a start makes, and a start with the whole load. */
async function countCalls(
  { folder }: CaseContext,
  atOnce: number,
): Promise<Record<Injection["call"], Counted>> {
  const hub = await startTraced(join(folder, `count-${atOnce}`), []);
  // strace counts them from 1, whatever file they are about.
  const made = (call: string) =>
    hub
      .trace()
      .split("\n")
      .filter((line) => line.includes(`${call}(`));
  const start = { fsync: made("fsync").length, pwrite64: made("pwrite64").length };
  await load(hub.process.address, [], atOnce);
  const syncs = made("fsync");
  const whole = { fsync: syncs.length, pwrite64: made("pwrite64").length };
  const fileSyncs = syncs.flatMap((line, index) =>
    index >= start.fsync && line.includes("hub.db>") ? [index + 1] : [],
  );
  await endTraced(hub.process);
  return {
    fsync: { start: start.fsync, whole: whole.fsync, fileSyncs },
    pwrite64: { start: start.pwrite64, whole: whole.pwrite64, fileSyncs: [] },
  };
}

interface RoundResult {
  hit: boolean;
  ended: boolean;
  ofTheFile: boolean;
  refused: number;
  receipts: number;
}

async function oneRound(
  { folder, violated }: CaseContext,
  { round, injection, at }: { round: number; injection: Injection; at: number },
): Promise<RoundResult> {
  const { call, error, times } = injection;
  const when = times === 1 ? `${at}` : `${at}..${at + times - 1}`;
  const name = `${call}-${error}-${round}`;
  const wrong = (text: string) => violated(`${name} at ${at}: ${text}`);
  const hub = await startTraced(join(folder, name), [
    "-e",
    `inject=${call}:error=${error}:when=${when}`,
  ]);
  const receipts: Receipt[] = [];
  const atOnce = injection.ofTheFile ? 1 : AT_ONCE;
  const refusals = await load(hub.process.address, receipts, atOnce);
  const lines = callsIn(hub.trace());
  const hitAt = lines.findIndex((line) => line.includes("(INJECTED)"));
  const ended = hitAt >= 0 && call === "fsync";
  if (ended) {
    const { code } = await soon(hub.process.ended, "the end after a failed sync");
    if (code !== STORAGE_EXIT) wrong(`the hub ended with ${code}, not ${STORAGE_EXIT}`);
    const after = callsIn(hub.trace()).slice(hitAt + 1);
    if (after.length > 0) wrong(`after the failed sync it wrote: ${after[0]}`);
  } else {
    const expected = error === "ENOSPC" ? "STORAGE_FULL" : "STORAGE_UNAVAILABLE";
    const odd = refusals.find((reason) => reason !== expected);
    if (odd !== undefined) wrong(`a message was refused with ${odd}, not ${expected}`);
    await endTraced(hub.process);
  }

  // The next hub finds every receipt, and takes what had none under the same key.
  const db = join(folder, name, "hub.db");
  const again = await startHubProcess({ db });
  const known = receipts.length;
  const second: Receipt[] = [];
  const refusedAgain = await load(again.address, second, AT_ONCE);
  if (refusedAgain.length > 0) wrong(`without the error it still refuses: ${refusedAgain[0]}`);
  const end = await again.end("SIGTERM");
  if (end.code !== 0) wrong(`the next hub ended with ${end.signal ?? end.code}`);
  for (const problem of problemsOf(db, [...receipts, ...second])) wrong(problem);
  const ofTheFile = ended && (lines[hitAt]?.includes("hub.db>") ?? false);
  return { hit: hitAt >= 0, ended, ofTheFile, refused: refusals.length, receipts: known };
}

/** Says all messages, a few at once; returns the refusals' reasons. */
async function load(address: string, receipts: Receipt[], atOnce: number): Promise<string[]> {
  const alice = talk(address, "alice");
  const refusals: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < MESSAGES) {
      const messageId = `m-${next}`;
      next += 1;
      const said = await alice.say("bob", messageId, CONTENT);
      if (said.kind === "unknown") return;
      if (said.kind === "refused") {
        refusals.push(said.reason);
      } else {
        const { channelId, seq } = said;
        receipts.push({ channelId, seq, author: "alice", messageId });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  alice.close();
  return refusals;
}

async function startTraced(
  folder: string,
  injection: string[],
): Promise<{ process: HubProcess; trace: () => string }> {
  mkdirSync(folder);
  const file = join(folder, "trace");
  const what = "trace=fsync,fdatasync,pwrite64,ftruncate,unlink,rename";
  const under = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", file, "-e", what];
  const process = await startHubProcess({
    db: join(folder, "hub.db"),
    under: [...under, ...injection],
  });
  return { process, trace: () => readFileSync(file, "utf8") };
}

/** Ends the hub under strace, which passes no signal on to it. */
async function endTraced(hub: HubProcess): Promise<void> {
  const children = readFileSync(`/proc/${hub.child.pid}/task/${hub.child.pid}/children`, "utf8");
  const pid = Number(children.trim().split(" ")[0]);
  if (!(pid > 0)) throw new Error("strace has no child");
  process.kill(pid, "SIGTERM");
  await hub.ended;
}

/** The calls on the database and its log. */
function callsIn(trace: string): string[] {
  return trace.split("\n").filter((line) => /hub\.db(-wal)?[>"]/.test(line));
}
