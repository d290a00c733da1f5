/**
 * The thread that copies the log of a database into its file, so that the event loop does not wait
 * for the two syncs of that. Started by log-copier.ts with a CopyOrder; each message to it is one
 * copy. It ends where it cannot open the very files that the hub has open.
 */
import { extname } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { CopyAnswer, CopyOrder } from "./log-copier.js";

/** Under this file's own extension: tests run the sources, in a thread for which nothing maps it. */
const besides = new URL(`file-identity${extname(import.meta.url)}`, import.meta.url);
const { identityOf }: typeof import("./file-identity.js") = await import(besides.href);

interface Pages {
  log: number;
}

let checkpoint: Database.Statement<[], Pages> | undefined;

/**
 * Opened by the first copy. The store sees to it that the connection is not the last one closed.
 * @throws Error, none of SQLite's: nothing it says of another file is to end the hub
 */
function prepare(): Database.Statement<[], Pages> {
  const { path, identity }: CopyOrder = workerData;
  const check = () => {
    if (identityOf(path) !== identity) throw new Error(`${path} or its log is another file by now`);
  };
  try {
    check();
    // What is locked is left for the next copy.
    const db = new Database(path, { fileMustExist: true, timeout: 0 });
    // Not left to the default, which this SQLite lowers to NORMAL in WAL mode.
    db.pragma("synchronous = FULL");
    // Opens the log.
    db.exec("SELECT 1 FROM sqlite_schema");
    check();
    return db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  } catch (cause) {
    throw new Error(`${path} cannot be opened a second time`, { cause });
  }
}

function copy(): CopyAnswer {
  checkpoint ??= prepare();
  try {
    return { pages: checkpoint.get()?.log ?? 0 };
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort?.on("message", () => parentPort?.postMessage(copy()));
