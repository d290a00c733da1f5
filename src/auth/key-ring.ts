import type { KeyRecord } from "../hub/credentials.js";
import { StorageError, type Store } from "../hub/store.js";

/** The API keys of a hub, in memory. */
export interface KeyRing {
  /**
   * The keys by their ids, as they stand in the database now.
   * @throws StorageError where the database has changed and cannot be read
   */
  current(): Promise<ReadonlyMap<string, KeyRecord>>;
  /** As they stood when they were last read. */
  known(): ReadonlyMap<string, KeyRecord>;
  /** Calls back whenever they were read again, which says not that they have changed. */
  onRead(listener: () => void): void;
}

/** Keys are read without writing anything: also where the database has no room. */
const ONLY_READS = new StorageError("keys are only read here");

/** Reads all keys of a store, and again whenever another process has written to it. */
export async function openKeyRing(store: Store): Promise<KeyRing> {
  const listeners: (() => void)[] = [];
  let keys: ReadonlyMap<string, KeyRecord> = new Map();
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const records = await store.transaction((tx) => tx.keys(), ONLY_READS);
    keys = new Map(records.map((record) => [record.keyId, record]));
    for (const listener of listeners) listener();
  }

  /** What was asked to be read before the newest change counts no more. */
  function readAgain(): Promise<void> {
    const mine = read().then(
      () => {
        if (reading === mine) reading = undefined;
      },
      (error: unknown) => {
        // The next one tries again, though nothing further has changed.
        if (reading === mine) reading = FAILED;
        throw error;
      },
    );
    reading = mine;
    return mine;
  }

  store.changedElsewhere();
  await read();
  return {
    async current() {
      if (store.changedElsewhere() || reading === FAILED) await readAgain();
      else await reading;
      return keys;
    },
    known: () => keys,
    onRead: (listener) => void listeners.push(listener),
  };
}

const FAILED: Promise<void> = Promise.resolve();
