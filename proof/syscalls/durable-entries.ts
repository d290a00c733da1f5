import { tokensIn } from "./load.ts";
import type { TraceEvent } from "./trace-events.ts";
import { DB_NAME } from "./traced-run.ts";

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** In a frame's header, not 0 in the last frame of a transaction (https://www.sqlite.org/fileformat.html#walformat). */
const COMMIT_AT = 4;

/**
 * From where on in the trace each entry would outlive a power loss: its transaction's frames had
 * been written to the log, an fsync that began after the last of them had returned, and so had
 * one of the folder after the names of the database and its log had been made.
 */
export function durableEntries(events: readonly TraceEvent[]): Map<string, number> {
  const durable = new Map<string, number>();
  const unlisted = new Map<string, number>();
  let log: number | undefined;
  let isCommit = false;
  let inTransaction = new Set<string>();
  let unsynced: { token: string; at: number }[] = [];

  for (const event of events) {
    // The next hub drops what has no commit.
    if (event.kind === "end") inTransaction = new Set();
    if (event.kind === "create" && [DB_NAME, `${DB_NAME}-wal`].includes(event.name)) {
      unlisted.set(event.name, event.at);
      if (event.name !== DB_NAME) log = event.file;
    } else if (event.kind === "sync-folder") {
      for (const [name, at] of unlisted) if (at < event.begunAt) unlisted.delete(name);
    } else if (event.kind === "write" && event.file === log) {
      if (event.offset < WAL_HEADER_BYTES) continue;
      const bytes = Buffer.from(event.bytes);
      if (bytes.length === FRAME_HEADER_BYTES) {
        isCommit = bytes.readUInt32BE(COMMIT_AT) !== 0;
        continue;
      }
      for (const token of tokensIn(bytes.toString("latin1"))) {
        if (!durable.has(token)) inTransaction.add(token);
      }
      if (!isCommit) continue;
      unsynced.push(...Array.from(inTransaction, (token) => ({ token, at: event.at })));
      inTransaction = new Set();
    } else if (event.kind === "sync" && event.file === log && unlisted.size === 0) {
      for (const { token, at } of unsynced) {
        if (at < event.begunAt && !durable.has(token)) durable.set(token, event.at);
      }
      unsynced = unsynced.filter(({ at }) => at >= event.begunAt);
    }
  }
  return durable;
}
