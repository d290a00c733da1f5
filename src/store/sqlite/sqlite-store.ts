import { setImmediate as nextImmediate } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { StorageError, type Store, type Transaction } from "../../hub/store.js";
import { prepareAuditRows } from "./audit-rows.js";
import { prepareChannelQueries } from "./channel-queries.js";
import { prepareChannelRows } from "./channel-rows.js";
import { prepareCredentialRows } from "./credential-rows.js";
import { translate } from "./engine-errors.js";
import { prepareEntryRows } from "./entry-rows.js";
import { startLogCopier } from "./log-copier.js";
import { limitLog } from "./log-size.js";
import { prepareServiceRows } from "./service-rows.js";
import { openTransaction } from "./transaction.js";

/**
 * Databases that failed: closing one would copy its log into the file, and nobody knows what of
 * the log is on the disk. Kept here, because what is garbage is closed as well.
 */
const failedDatabases = new Set<Database>();

/**
 * A store on a database that is open and has the newest schema. After a fatal error the database
 * stays open, and its file locked, until the process ends.
 */
export function sqliteStore(
  db: Database,
  of: {
    epoch: string;
    /** Of the file; undefined where everything is in memory only. */
    path: string | undefined;
    maxLogBytes: number | undefined;
    close: () => void;
  },
): Store {
  const copier = of.path === undefined ? undefined : startLogCopier(of.path);
  const log = limitLog(db, { maxLogBytes: of.maxLogBytes, copyPages: copier?.copyPages });
  const statements = {
    channelRows: prepareChannelRows(db),
    channelQueries: prepareChannelQueries(db),
    entryRows: prepareEntryRows(db),
    serviceRows: prepareServiceRows(db),
    credentialRows: prepareCredentialRows(db),
    auditRows: prepareAuditRows(db),
  };
  const controls = {
    BEGIN: db.prepare("BEGIN"),
    "BEGIN IMMEDIATE": db.prepare("BEGIN IMMEDIATE"),
    COMMIT: db.prepare("COMMIT"),
  };
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck();
  let seenVersion = dataVersion.get();
  let closed: Promise<void> | undefined;
  /** Settles, and never rejects, when the last transaction asked for is over. */
  let last: Promise<unknown> = Promise.resolve();
  let failure: StorageError | undefined;
  const { promise: failed, resolve: tellFailure } = Promise.withResolvers<StorageError>();

  /** From here on nothing is read, stored or copied. Returns the error it was given. */
  function noteFatal(error: unknown): unknown {
    if (failure === undefined && error instanceof StorageError && error.kind === "fatal") {
      failure = error;
      failedDatabases.add(db);
      tellFailure(error);
    }
    return error;
  }

  function rollBack(): void {
    if (db.inTransaction) db.exec("ROLLBACK");
  }

  /** Runs one of the two statements that begin and end a transaction. */
  function control(statement: keyof typeof controls, doing: string): void {
    try {
      // Only where an earlier ROLLBACK has failed.
      if (statement !== "COMMIT") rollBack();
      controls[statement].run();
    } catch (error) {
      throw translate(error, doing);
    }
  }

  async function runAlone<T>(
    work: (tx: Transaction) => Promise<T>,
    readOnly: StorageError | undefined,
  ): Promise<T> {
    if (readOnly === undefined) log.checkRoom();
    control(readOnly === undefined ? "BEGIN IMMEDIATE" : "BEGIN", "begin a transaction");
    const { tx, finish, abandon } = openTransaction(statements, readOnly);
    try {
      const result = await work(tx);
      finish();
      // failpoint: before-commit
      control("COMMIT", "commit a transaction");
      // failpoint: after-commit
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

  /** Runs after the caller has its result, and before the next transaction. */
  async function keepLog(): Promise<void> {
    await nextImmediate();
    try {
      if (failure !== undefined || !log.isDue()) return;
      await log.copy();
    } catch (error) {
      noteFatal(error);
    }
  }

  return {
    epoch: of.epoch,
    durable: of.path !== undefined,
    failed,
    transaction(work, readOnly) {
      if (closed !== undefined) return Promise.reject(new StorageError("the store is closed"));
      const done = last.then(async () => {
        if (failure !== undefined) throw failure;
        try {
          return await runAlone(work, readOnly);
        } catch (error) {
          throw noteFatal(error);
        }
      });
      last = done.then(
        () => (readOnly === undefined ? keepLog() : undefined),
        () => undefined,
      );
      return done;
    },
    changedElsewhere() {
      if (closed !== undefined || failure !== undefined) return false;
      const version = dataVersion.get();
      const changed = version !== seenVersion;
      seenVersion = version;
      return changed;
    },
    close() {
      closed ??= last.then(async () => {
        if (failure !== undefined) return;
        await copier?.end();
        try {
          log.copyAtLast();
        } catch (error) {
          noteFatal(error);
          return;
        }
        of.close();
      });
      return closed;
    },
  };
}
