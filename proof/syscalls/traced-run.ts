import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startHubProcess } from "../support/hub-process.ts";
import { randomFrom } from "../support/random.ts";
import { STRACE } from "./lacking.ts";
import { runLoad, type Said } from "./load.ts";
import { readTrace, type TraceEvent } from "./trace-events.ts";

/** How the hub is run. */
export interface TracedRunOptions {
  /** An empty folder; the trace and the database are put there. */
  folder: string;
  messages: number;
  maxContentBytes: number;
  /** Messages of one agent that wait for their receipts at a time; more make larger commits. */
  window: number;
  seed: number;
  /** Commits that are not synced: the control. */
  synchronous: "FULL" | "NORMAL";
}

/** What a hub did from its creation of the database to its end. */
export interface TracedRun {
  said: Said;
  events: TraceEvent[];
}

const CHATS = 8;

/** The name of the database in its folder. */
export const DB_NAME = "hub.db";

/** Runs a hub under strace from its first start to SIGTERM, with a load in between. */
export async function tracedRun(options: TracedRunOptions): Promise<TracedRun> {
  const { folder, messages, maxContentBytes, window, seed, synchronous } = options;
  const trace = join(folder, "trace");
  const data = join(folder, "data");
  mkdirSync(data);
  const patch = import.meta.resolve("./synchronous-normal.ts");
  const hub = await startHubProcess({
    db: join(data, DB_NAME),
    under: [...STRACE, "-o", trace],
    nodeArgs: synchronous === "NORMAL" ? ["--import", patch] : [],
    // What goes through a ring is seen by no trace.
    env: { UV_USE_IO_URING: "0" },
  });
  let said: Said;
  try {
    const random = randomFrom(seed);
    said = await runLoad(hub.address, {
      ...{ messages, maxContentBytes, window, random },
      chats: CHATS,
    });
  } catch (error) {
    await hub.end();
    throw error;
  }
  const { code, signal } = await hub.end("SIGTERM");
  if (code !== 0) throw new Error(`the hub ended with ${signal ?? code}: ${hub.log()}`);
  return { said, events: await readTrace(trace, data) };
}
