import type { Channel } from "../../src/hub/channel.js";
import type { StoredEntry } from "../../src/hub/entry.js";
import { StorageError, type Store, type Transaction } from "../../src/hub/store.js";

/** What one transaction has stored, in its order. */
export interface Committed {
  entries: StoredEntry[];
  channels: Channel[];
}

/** The store of one life of a hub: the real one, with a hand on every commit. */
export interface StoreDouble {
  store: Store;
  /** From now on every transaction waits twice: before its commit, and before that is told. */
  hold(): void;
  /** Lets the waiting transaction go one step further, if there is one. */
  step(): void;
  /** Lets everything go. */
  free(): void;
  /** After so many more, so many transactions cannot be committed. */
  failNext(count: number, after: number): void;
  /** A transaction waits. */
  isWaiting(): boolean;
  /** The process is gone: what waits for its commit is never stored, and nobody is told anything. */
  die(): void;
}

/** A key whose look-up is a fault of the program. */
export const FAULTY_KEY = "boom";

class Killed extends Error {}

/**
 * @param of.committed called at the moment in which a transaction has become durable
 * @param of.misused called when the hub asks for a transaction after it has stopped
 */
export function doubleStore(of: {
  real: Store;
  committed: (what: Committed) => void;
  isStopped: () => boolean;
  misused: () => void;
}): StoreDouble {
  const { real } = of;
  let holding = false;
  let failing = 0;
  let healthy = 0;
  let dead = false;
  let wake: (() => void) | undefined;
  const never = () => new Promise<never>(() => {});

  async function gate(): Promise<void> {
    if (holding && !dead) await new Promise<void>((resolve) => (wake = resolve));
    wake = undefined;
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (dead) return never();
    if (of.isStopped()) of.misused();
    const fails = healthy === 0 && failing > 0;
    if (fails) failing -= 1;
    if (healthy > 0) healthy -= 1;
    const what: Committed = { entries: [], channels: [] };
    try {
      const result = await real.transaction(async (tx) => {
        const done = await work(watched(tx, what));
        await gate();
        if (dead) throw new Killed();
        if (fails) throw new StorageError("the disk is full");
        return done;
      });
      of.committed(what);
      await gate();
      return dead ? never() : result;
    } catch (error) {
      if (dead) return never();
      throw error;
    }
  }

  function step(): void {
    wake?.();
  }

  return {
    store: {
      epoch: real.epoch,
      durable: real.durable,
      failed: real.failed,
      transaction,
      changedElsewhere: () => real.changedElsewhere(),
      close: async () => {},
    },
    hold() {
      holding = true;
    },
    step,
    free() {
      holding = false;
      step();
    },
    failNext(count, after) {
      failing = count;
      healthy = after;
    },
    isWaiting: () => wake !== undefined,
    die() {
      dead = true;
      step();
    },
  };
}

function watched(tx: Transaction, what: Committed): Transaction {
  return {
    ...tx,
    entryByKey(author, kind, key) {
      if (key.startsWith(FAULTY_KEY)) throw new TypeError("a fault of the program");
      return tx.entryByKey(author, kind, key);
    },
    async append(entries, channel) {
      await tx.append(entries, channel);
      what.entries.push(...entries);
      if (channel !== undefined) what.channels.push(channel);
    },
    async putChannel(channel) {
      await tx.putChannel(channel);
      what.channels.push(channel);
    },
  };
}
