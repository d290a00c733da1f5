/**
 * The thread that copies the log of a database into its file, so that the event loop does not wait
 * for the two syncs of that. Started by log-copier.ts, which has the database's path as its data;
 * each message to it is one copy. Imports nothing of the hub: tests run it as it stands here.
 */
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { CopyAnswer } from "./log-copier.js";

interface Pages {
  log: number;
}

let checkpoint: Database.Statement<[], Pages> | undefined;

/** Opened by the first copy, and never closed while the process runs: see sqlite-store.ts. */
function prepare(): Database.Statement<[], Pages> {
  // What is locked is left for the next copy.
  const db = new Database(workerData, { fileMustExist: true, timeout: 0 });
  // Not left to the default, which this SQLite lowers to NORMAL in WAL mode.
  db.pragma("synchronous = FULL");
  return db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
}

function copy(): CopyAnswer {
  try {
    checkpoint ??= prepare();
    return { pages: checkpoint.get()?.log ?? 0 };
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort?.on("message", () => parentPort?.postMessage(copy()));
