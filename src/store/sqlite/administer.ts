import { resolve } from "node:path";
import { type AuditRows, prepareAuditRows } from "./audit-rows.js";
import { type CredentialRows, prepareCredentialRows } from "./credential-rows.js";
import { translate } from "./engine-errors.js";
import { openExisting } from "./existing-database.js";
import { checkFile } from "./file-checks.js";
import { limitLog } from "./log-size.js";
import { openSqliteStore } from "./open.js";

/** What an operator reads and writes beside a hub that may be running. */
export type Administration = CredentialRows & AuditRows;

/**
 * Runs work in one transaction, synced before this resolves. A running hub notices.
 * @param of.mode `write` creates a database that is not there
 * @throws StoreOpenError when the database cannot be opened; StorageError when it cannot be
 *   written; and what work throws, where nothing is stored
 */
export async function administer<T>(
  of: { path: string; mode: "read" | "write" },
  work: (rows: Administration) => T,
): Promise<T> {
  if (of.mode === "write" && !checkFile(resolve(of.path))) {
    const created = await openSqliteStore({ path: of.path });
    await created.close();
  }
  const db = openExisting(of.path, of.mode);
  try {
    const log = of.mode === "write" ? limitLog(db) : undefined;
    const rows = { ...prepareCredentialRows(db), ...prepareAuditRows(db) };
    log?.checkRoom();
    const transaction = db.transaction(() => work(rows));
    const result = of.mode === "write" ? transaction.immediate() : transaction.deferred();
    if (log?.isDue()) await log.copy();
    return result;
  } catch (error) {
    throw translate(error, "work on the keys and the audit log");
  } finally {
    db.close();
  }
}
