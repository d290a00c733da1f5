import type { Database } from "better-sqlite3";
import { StorageError, type Store, type Transaction } from "../../hub/store.js";
import { prepareChannelQueries } from "./channel-queries.js";
import { prepareChannelRows } from "./channel-rows.js";
import { translate } from "./engine-errors.js";
import { prepareEntryRows } from "./entry-rows.js";
import { prepareServiceRows } from "./service-rows.js";
import { openTransaction } from "./transaction.js";

/** A store on a database that is open and has the newest schema. */
export function sqliteStore(
  db: Database,
  of: { epoch: string; durable: boolean; close: () => void },
): Store {
  const statements = {
    channelRows: prepareChannelRows(db),
    channelQueries: prepareChannelQueries(db),
    entryRows: prepareEntryRows(db),
    serviceRows: prepareServiceRows(db),
  };
  let closed: Promise<void> | undefined;
  /** Settles, and never rejects, when the last transaction asked for is over. */
  let last: Promise<unknown> = Promise.resolve();

  function rollBack(): void {
    if (db.inTransaction) db.exec("ROLLBACK");
  }

  /** Runs one of the two statements that begin and end a transaction. */
  function control(statement: "BEGIN IMMEDIATE" | "COMMIT", doing: string): void {
    try {
      // Only where an earlier ROLLBACK has failed.
      if (statement === "BEGIN IMMEDIATE") rollBack();
      db.exec(statement);
    } catch (error) {
      throw translate(error, doing);
    }
  }

  async function runAlone<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    control("BEGIN IMMEDIATE", "begin a transaction");
    const { tx, finish, abandon } = openTransaction(statements);
    try {
      const result = await work(tx);
      finish();
      control("COMMIT", "commit a transaction");
      return result;
    } catch (error) {
      abandon();
      try {
        rollBack();
      } catch {
        // The first error says more, and the next transaction rolls back before it begins.
      }
      throw error;
    }
  }

  return {
    epoch: of.epoch,
    durable: of.durable,
    transaction(work) {
      if (closed !== undefined) return Promise.reject(new StorageError("the store is closed"));
      const done = last.then(() => runAlone(work));
      last = done.catch(() => undefined);
      return done;
    },
    close() {
      closed ??= last.then(of.close);
      return closed;
    },
  };
}
