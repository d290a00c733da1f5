import { statSync } from "node:fs";
import { join } from "node:path";
import { startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, type StorageCase, soon } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";
import {
  callsIn,
  endTraced,
  lackingStrace,
  mainThreadOf,
  STORAGE_EXIT,
  startTraced,
  threadOf,
} from "./traced-hub.ts";

const MESSAGES = 120;
/** Large, so that the log is copied into the file meanwhile, and that is synced too. */
const CONTENT = "x".repeat(128 * 1024);
const AT_ONCE = 4;
/** The kernel's times of files are that much behind or ahead of when a call is traced, at most. */
const CLOCK_TICK_MS = 10;

/** A call that is made to fail, once or a few times in a row. */
interface Injection {
  call: "fsync" | "pwrite64";
  error: "EIO" | "ENOSPC";
  times: number;
  /** Where the log is copied into the database file, by a thread of its own, and not at a commit. */
  ofTheFile?: true;
  /** The same by the main connection, where no thread can begin. */
  threads?: false;
}
const INJECTIONS: Injection[] = [
  { call: "fsync", error: "EIO", times: 1 },
  { call: "pwrite64", error: "ENOSPC", times: 1 },
  { call: "fsync", error: "EIO", times: 1, ofTheFile: true },
  { call: "pwrite64", error: "EIO", times: 1 },
  { call: "fsync", error: "ENOSPC", times: 1 },
  { call: "pwrite64", error: "ENOSPC", times: 12 },
  { call: "pwrite64", error: "ENOSPC", times: 1, ofTheFile: true },
  { call: "fsync", error: "EIO", times: 1, ofTheFile: true, threads: false },
];

/** Calls that fail, at places of their own in each round. */
export const ioErrors: StorageCase = {
  name: "io-errors",
  proves:
    "after a failed sync nothing is promised or written and the hub ends; a failed write is refused",
  lacking: lackingStrace,
  run: failCalls,
};

async function failCalls(context: CaseContext): Promise<Record<string, number>> {
  const rounds = INJECTIONS.length * context.scale;
  const calls = await countCalls(context);
  const copying = await countCopying(context);
  let commitHits = 0;
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
    const { start, whole } = (injection.ofTheFile ? copying : calls)[injection.call];
    const at = context.random.int(start + 1, whole);
    const result = await oneRound(context, { round, injection, at });
    figures.io_hits += result.hit ? 1 : 0;
    if (!injection.ofTheFile) commitHits += result.hit ? 1 : 0;
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
  const atCommits = INJECTIONS.filter(({ ofTheFile }) => !ofTheFile).length * context.scale;
  if (commitHits < atCommits / 2)
    context.violated(`only ${commitHits} calls of commits were made fail`);
  return figures;
}

interface Counted {
  start: number;
  whole: number;
}

/** How many calls of each kind a start makes, and a start with the whole load. */
async function countCalls({ folder }: CaseContext): Promise<Record<Injection["call"], Counted>> {
  const hub = await startTraced(join(folder, "count"), []);
  // strace counts them from 1, whatever file they are about, and for each thread: the first creates
  // the database, and commits.
  const mainThread = mainThreadOf(hub.process);
  const made = () => {
    const lines = hub.trace().split("\n");
    const count = (call: string) =>
      lines.filter((line) => threadOf(line) === mainThread && line.includes(`${call}(`)).length;
    return { fsync: count("fsync"), pwrite64: count("pwrite64") };
  };
  const start = made();
  await load(hub.process.address, []);
  const whole = made();
  await endTraced(hub.process);
  return {
    fsync: { start: start.fsync, whole: whole.fsync },
    pwrite64: { start: start.pwrite64, whole: whole.pwrite64 },
  };
}

/** The same of what copies the log into the database file. */
async function countCopying({ folder }: CaseContext): Promise<Record<Injection["call"], Counted>> {
  const hub = await startTraced(join(folder, "count-copies"), [], { onlyTheFile: true });
  await load(hub.process.address, []);
  const lines = hub.trace().split("\n");
  await endTraced(hub.process);
  const count = (call: string) => lines.filter((line) => line.includes(`${call}(`)).length;
  if (count("fsync") === 0) throw new Error("the load is too little: the log was not copied");
  // The last copy comes in some runs and in others not.
  const syncs = Math.max(1, count("fsync") - 1);
  const writes = Math.floor((count("pwrite64") * syncs) / (syncs + 1));
  return { fsync: { start: 0, whole: syncs }, pwrite64: { start: 0, whole: writes } };
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
  const onlyTheFile = injection.ofTheFile ?? false;
  const inject = ["-e", `inject=${call}:error=${error}:when=${when}`];
  const { threads } = injection;
  const hub = await startTraced(join(folder, name), inject, { onlyTheFile, threads });
  const { db } = hub;
  const receipts: Receipt[] = [];
  const mainThread = mainThreadOf(hub.process);
  const refusals = await load(hub.process.address, receipts);
  const lines = callsIn(hub.trace());
  const hitAt = lines.findIndex((line) => line.includes("(INJECTED)"));
  if (onlyTheFile && hitAt < 0) wrong("no such call was made on the database file");
  const byMain = threadOf(lines[hitAt] ?? "") === mainThread;
  if (onlyTheFile && byMain !== (threads === false)) wrong("another thread copied the log");
  const ended = hitAt >= 0 && call === "fsync";
  if (ended) {
    const { code } = await soon(hub.process.ended, "the end after a failed sync");
    if (code !== STORAGE_EXIT) wrong(`the hub ended with ${code}, not ${STORAGE_EXIT}`);
    const after = callsIn(hub.trace()).slice(hitAt + 1);
    if (after.length > 0) wrong(`after the failed sync it wrote: ${after[0]}`);
    const failedMs = 1000 * Number(/^\d+ +(\d+\.\d+) /.exec(lines[hitAt] ?? "")?.[1]);
    const lateMs = statSync(`${db}-wal`).mtimeMs - failedMs;
    if (!(lateMs < CLOCK_TICK_MS)) wrong(`its log was written ${lateMs} ms after the failed sync`);
  } else {
    const expected = error === "ENOSPC" ? "STORAGE_FULL" : "STORAGE_UNAVAILABLE";
    const odd = refusals.find((reason) => reason !== expected);
    if (odd !== undefined) wrong(`a message was refused with ${odd}, not ${expected}`);
    if (onlyTheFile && refusals.length > 0) wrong("what only failed a copy refused a message");
    await endTraced(hub.process);
  }

  // The next hub finds every receipt, and takes what had none under the same key.
  const again = await startHubProcess({ db });
  const known = receipts.length;
  const second: Receipt[] = [];
  const refusedAgain = await load(again.address, second);
  if (refusedAgain.length > 0) wrong(`without the error it still refuses: ${refusedAgain[0]}`);
  const end = await again.end("SIGTERM");
  if (end.code !== 0) wrong(`the next hub ended with ${end.signal ?? end.code}`);
  for (const problem of problemsOf(db, [...receipts, ...second])) wrong(problem);
  const ofTheFile = ended && (lines[hitAt]?.includes("hub.db>") ?? false);
  return { hit: hitAt >= 0, ended, ofTheFile, refused: refusals.length, receipts: known };
}

/** Says all messages, a few at once; returns the refusals' reasons. */
async function load(address: string, receipts: Receipt[]): Promise<string[]> {
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
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  alice.close();
  return refusals;
}
