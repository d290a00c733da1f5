/**
 * The thread that copies the log of a database into its file, so that the event loop does not wait
 * for the two syncs of that. Started by log-copier.ts with a CopyOrder; each message to it is one
 * copy. Where the path has become another file's it ends, and with it the copy. Imports nothing of
 * the hub: tests run it as it stands here.
 */
import { statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { CopyAnswer, CopyOrder } from "./log-copier.js";

interface Pages {
  log: number;
}

let checkpoint: Database.Statement<[], Pages> | undefined;

/** Opened by the first copy. The store sees to it that the connection is not the last one closed. */
function prepare(): Database.Statement<[], Pages> {
  const { path, device, inode }: CopyOrder = workerData;
  const { dev, ino } = statSync(path, { bigint: true });
  if (dev !== device || ino !== inode) throw new Error(`${path} is another file by now`);
  // What is locked is left for the next copy.
  const db = new Database(path, { fileMustExist: true, timeout: 0 });
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
