import type Database from "better-sqlite3";

/** Pages of a database's write-ahead log, and how many of them are in its file. */
export function sizeOfLog(db: Database.Database): { log: number; checkpointed: number } {
  const [row] = db.pragma("wal_checkpoint(NOOP)") as [{ log: number; checkpointed: number }];
  return row;
}
