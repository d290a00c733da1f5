import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startHubProcess } from "../support/hub-process.ts";
import { randomFrom } from "../support/random.ts";
import { killAtFsync, STRACE } from "./lacking.ts";
import { listenAgain, runLoad, type Said } from "./load.ts";
import { readTraces, type TraceEvent } from "./trace-events.ts";

/** How the hub is run. */
export interface TracedRunOptions {
  /** An empty folder; the traces and the database are put there. */
  folder: string;
  messages: number;
  maxContentBytes: number;
  /** Messages of one agent that wait for their receipts at a time; more make larger commits. */
  window: number;
  seed: number;
  /** Commits that are not synced: the control. */
  synchronous: "FULL" | "NORMAL";
}

/** What a hub did, and the next one on what it left. */
export interface TracedRun {
  /** Every entry of both, with or without a receipt. */
  said: Said;
  /** Those of the second hub: each got its receipt and was delivered. */
  finished: Said;
  events: TraceEvent[];
  /** Where in the trace the first hub was gone. */
  killedAt: number;
}

const CHATS = 8;
/** The fsyncs of the first hub between the moment it serves and its end. */
const LEAST_FSYNCS = 2;
const MOST_FSYNCS = 8;

/** The name of the database in its folder. */
export const DB_NAME = "hub.db";

/**
 * Runs two hubs under strace, one after the other on the same database. The first creates it, and is
 * killed under load when it has written a commit and not yet synced it; a hub that syncs too little
 * for that ends by SIGTERM. The second replays what was never acked, that commit included, carries a
 * load of its own, and ends by SIGTERM.
 */
export async function tracedRun(options: TracedRunOptions): Promise<TracedRun> {
  const { folder, messages, maxContentBytes, window, seed, synchronous } = options;
  const data = join(folder, "data");
  mkdirSync(data);
  const random = randomFrom(seed);
  const traces = ["trace-1", "trace-2"].map((name) => join(folder, name));
  const start = (strace: string[]) =>
    startHubProcess({
      db: join(data, DB_NAME),
      under: strace,
      nodeArgs:
        synchronous === "NORMAL"
          ? ["--import", import.meta.resolve("./synchronous-normal.ts")]
          : [],
      // What goes through a ring is seen by no trace.
      env: { UV_USE_IO_URING: "0" },
    });
  const load = { messages, maxContentBytes, window, random, chats: CHATS };

  const killed: Said = new Map();
  const fsyncs = (await fsyncsOfCreation(folder)) + random.int(LEAST_FSYNCS, MOST_FSYNCS);
  const first = await start([...STRACE, ...killAtFsync(fsyncs), "-o", traces[0] ?? ""]);
  const broken = runLoad(first.address, { ...load, run: 1, acks: false, said: killed });
  // It breaks off with the hub; a hub that hardly syncs carries it to its end.
  await broken.then(() => first.end("SIGTERM")).catch(() => {});
  await first.ended;

  const finished: Said = new Map();
  const second = await start([...STRACE, "--seccomp-bpf", "-o", traces[1] ?? ""]);
  try {
    const stopListening = await listenAgain(second.address, { run: 1, chats: CHATS });
    await runLoad(second.address, { ...load, run: 2, acks: true, said: finished });
    stopListening();
  } catch (error) {
    await second.end();
    throw error;
  }
  const end = await second.end("SIGTERM");
  if (end.code !== 0)
    throw new Error(`the hub ended with ${end.signal ?? end.code}: ${second.log()}`);

  const events = await readTraces(traces, data);
  const killedAt = events.find(({ kind }) => kind === "end")?.at ?? 0;
  return { said: new Map([...killed, ...finished]), finished, events, killedAt };
}

/** How many fsyncs a hub makes before it serves, on a database it creates. Counted: each migration adds some. */
async function fsyncsOfCreation(folder: string): Promise<number> {
  const [db, trace] = [join(folder, "creation.db"), join(folder, "creation-trace")];
  const hub = await startHubProcess({ db, under: [...STRACE, "-o", trace] });
  const made = readFileSync(trace, "latin1")
    .split("\n")
    .filter((line) => line.includes(" fsync("));
  await hub.end("SIGTERM");
  return made.length;
}
