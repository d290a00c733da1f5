import type { Logger } from "pino";
import type { AuditEvent } from "../hub/audit.js";
import type { Context, Environment, Moved, Written } from "../hub/context.js";
import { StorageError, type StorageTrouble, type Store } from "../hub/store.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { createSlices, type Slices } from "./slices.js";

/** One thing to do in a transaction, and what to do with its result once that is durable. */
export interface Job<T> {
  /** How much of a turn it takes, of MAX_TURN_WEIGHT; default 1. */
  weight?: number;
  /** Where the call came from, for the audit log. */
  address?: string;
  /** It takes far less than a millisecond. */
  isLight?: boolean;
  /** Nobody waits for it: it may share a transaction, and its sync, with what comes soon. */
  canWait?: boolean;
  /** Runs within the transaction; may run again in another one if that fails. */
  run(context: Context): Promise<T>;
  /** Told after the commit, in the order of the jobs. Must not throw. */
  done(result: T): void;
  /** Told instead where nothing of this job was stored. */
  failed(refusal: Refusal): void;
}

/** Puts everything that arrives in one event-loop turn into one transaction. */
export interface Turns {
  /** Queues a job behind all that were submitted before. */
  submit<T>(job: Job<T>): void;
  /** Resolves when every job submitted so far has been told its end. */
  idle(): Promise<void>;
}

/** What one transaction may hold, so that neither its time nor its results grow without bound. */
const MAX_TURN_WEIGHT = 1024;

/** How long jobs that can wait do, in milliseconds, where nothing else comes. */
const MAX_WAIT_MS = 10;

type AnyJob = Job<unknown>;
interface Done {
  result: unknown;
  context: Context;
}
type Outcome = Done | { refusal: Refusal };

/** What each kind of storage error is to a client. */
const STORAGE_TROUBLE: Record<StorageTrouble, Refusal> = {
  unavailable: refuse(
    "STORAGE_UNAVAILABLE",
    "the hub could not store this; send it again under the same key",
  ),
  full: refuse("STORAGE_FULL", "the hub has no room for this; send it again under the same key"),
  fatal: refuse(
    "STORAGE_UNAVAILABLE",
    "the hub's disk has failed and it goes away; send this again under the same key",
  ),
};
const FAULT = refuse("INTERNAL", "the hub has a fault and did not store this; its log says more");

/**
 * Persist, then tell (M1): jobs run in one transaction, and only when it has
 * been committed and synced is anyone told, each job first and then the
 * receivers of what it wrote. While a transaction runs, further jobs wait for
 * the next. Where storing fails, the jobs run again in one that only reads: those that would
 * write are refused, and reading goes on.
 * @param deliver tells the members of a channel about an entry; must not throw
 * @param progressed tells the peer of an agent whose position has moved; must not throw
 * @param denied notes for the audit log that somebody named what is not theirs; called when that was
 *   answered, and must not throw
 * @param settled called after all jobs of a transaction have been told
 */
export function createTurns(of: {
  store: Store;
  env: Environment;
  log: Logger;
  deliver(written: Written): void;
  progressed(moved: Moved): void;
  denied(event: AuditEvent): void;
  settled(): void;
}): Turns {
  const { store, env, log } = of;
  const queue: AnyJob[] = [];
  let waiters: (() => void)[] = [];
  let running = false;
  let waiting: NodeJS.Timeout | undefined;
  /** What the last transaction that wrote something has met; said once, however many turns meet it. */
  let trouble: StorageTrouble | undefined;

  async function runTurn(): Promise<void> {
    const jobs = takeTurn();
    const slices = createSlices();
    const outcomes = await commit(jobs, slices);
    await tell(jobs, outcomes, slices);
    of.settled();
    running = false;
    if (queue.length > 0) {
      begin();
      return;
    }
    for (const wake of waiters) wake();
    waiters = [];
  }

  /** Begins the next turn, unless all that is there can wait and nobody waits for it. */
  function begin(): void {
    if (running) return;
    if (waiters.length === 0 && queue.every((job) => job.canWait)) {
      waiting ??= setTimeout(start, MAX_WAIT_MS);
    } else start();
  }

  function start(): void {
    clearTimeout(waiting);
    waiting = undefined;
    running = true;
    // After the I/O callbacks of this turn, so that all they submit is in one transaction.
    setImmediate(() => void runTurn());
  }

  function takeTurn(): AnyJob[] {
    let weight = 0;
    let count = 0;
    for (const job of queue) {
      weight += job.weight ?? 1;
      if (count > 0 && weight > MAX_TURN_WEIGHT) break;
      count += 1;
    }
    return queue.splice(0, count);
  }

  /** @param readOnly what writing met just now: the jobs may only read */
  async function commit(
    jobs: AnyJob[],
    slices: Slices,
    readOnly?: StorageError,
  ): Promise<Outcome[]> {
    try {
      const done = await store.transaction(async (tx) => {
        const outcomes: Outcome[] = [];
        for (const job of jobs) {
          const context: Context = { tx, env, written: [], moved: [], denied: [] };
          try {
            const result = await job.run(context);
            outcomes.push({ result, context });
          } catch (error) {
            if (readOnly === undefined || error !== readOnly) throw error;
            // Refused before anything was written, so that the others can go on.
            outcomes.push({ refusal: STORAGE_TROUBLE[readOnly.kind] });
          }
          const next = slices.next(job.isLight === true);
          if (next !== undefined) await next;
        }
        // What was gathered, and then the commit, each in a slice of its own.
        const beforeFlush = slices.fresh();
        if (beforeFlush !== undefined) await beforeFlush;
        await tx.flush();
        const beforeCommit = slices.fresh();
        if (beforeCommit !== undefined) await beforeCommit;
        return outcomes;
      }, readOnly);
      if (done.some((one) => "context" in one && one.context.written.length > 0)) noteTrouble();
      return done;
    } catch (error) {
      if (error instanceof StorageError) {
        noteTrouble(error);
        // Who only reads needs neither room nor a disk that takes something.
        if (readOnly === undefined && error.kind !== "fatal") return commit(jobs, slices, error);
        return jobs.map(() => ({ refusal: STORAGE_TROUBLE[error.kind] }));
      }
      if (jobs.length === 1) {
        log.error({ err: error }, "a job failed");
        return [{ refusal: FAULT }];
      }
      // One job is at fault; alone, each of the others succeeds.
      const outcomes: Outcome[] = [];
      for (const job of jobs) outcomes.push(...(await commit([job], slices, readOnly)));
      return outcomes;
    }
  }

  function noteTrouble(error?: StorageError): void {
    // The hub itself says what is fatal.
    if (error?.kind === trouble || error?.kind === "fatal") return;
    trouble = error?.kind;
    if (error === undefined) log.info("entries are stored again");
    else log.error({ err: error, kind: error.kind }, "entries cannot be stored");
  }

  async function tell(jobs: AnyJob[], outcomes: Outcome[], slices: Slices): Promise<void> {
    // What was before the first is the commit.
    let isLight = false;
    for (let index = 0; index < jobs.length; index += 1) {
      const next = slices.next(isLight);
      if (next !== undefined) await next;
      const job = jobs[index];
      const outcome = outcomes[index];
      if (job === undefined || outcome === undefined) continue;
      isLight = job.isLight === true;
      try {
        if ("refusal" in outcome) {
          job.failed(outcome.refusal);
          continue;
        }
        job.done(outcome.result);
        // failpoint: after-receipt
        const { written, moved, denied } = outcome.context;
        for (const one of written) of.deliver(one);
        for (const one of moved) of.progressed(one);
        for (const denial of denied) {
          const { address = "" } = job;
          of.denied({ ...denial, atMs: env.nowMs(), event: "access_denied", address });
        }
      } catch (error) {
        log.error({ err: error }, "telling about a stored entry failed");
      }
    }
  }

  return {
    submit<T>(job: Job<T>) {
      queue.push(job as AnyJob);
      if (!running && (!job.canWait || waiting === undefined)) begin();
    },
    idle() {
      if (!running && queue.length === 0) return Promise.resolve();
      return new Promise((wake) => {
        waiters.push(wake);
        begin();
      });
    },
  };
}
