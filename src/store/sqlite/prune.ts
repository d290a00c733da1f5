import { setTimeout as pause } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { ChannelState } from "../../protocol/wire.js";
import { translate } from "./engine-errors.js";
import { openExisting } from "./existing-database.js";
import { limitLog } from "./log-size.js";

/** What was removed, or would be. */
export interface PruneResult {
  channels: number;
  entries: number;
  /** Of the entries' contents; the file itself keeps its size. */
  bytes: number;
  /** How many of the channels had entries that one of their members had not read. */
  unread: number;
}

interface Candidate {
  id: number;
  channelId: string;
  isUnread: number;
  entries: number;
  bytes: number;
}

const CLOSED = [ChannelState.CHANNEL_STATE_REJECTED, ChannelState.CHANNEL_STATE_ENDED];

/** The statements by name; a test asks SQLite how it answers each. */
export const PRUNE_SQL = {
  // In the order of the table, so that each channel is looked at once, whatever there is.
  candidates: `SELECT id, channel_id AS channelId,
      provider_position < provider_due OR consumer_position < consumer_due AS isUnread,
      (SELECT coalesce(sum(entry_count), 0) FROM entry_blocks WHERE channel = channels.id) AS entries,
      (SELECT coalesce(sum(length(body)), 0) FROM entry_blocks WHERE channel = channels.id) AS bytes
    FROM channels WHERE id > @after AND state IN (${CLOSED}) AND closed_at_ms < @before
    AND (@unreadToo OR NOT (provider_position < provider_due OR consumer_position < consumer_due))
    ORDER BY id LIMIT @limit`,
  // A rowid may have gone to another channel since it was read.
  isStill: "SELECT 1 FROM channels WHERE id = ? AND channel_id = ?",
  removeEntries: "DELETE FROM entry_blocks WHERE channel = ?",
  removeChannel: "DELETE FROM channels WHERE id = ?",
};

/** What one transaction removes, if its first channel alone is not more. */
const ENTRIES_AT_ONCE = 1_000;
const BYTES_AT_ONCE = 4 * 1024 * 1024;
const CHANNELS_AT_ONCE = 200;
/** A hub that waits for the lock gets it in between: the command holds it a third of the time. */
const MIN_PAUSE_MS = 10;

/**
 * Removes whole channels that were rejected or ended before a moment, with their entries. A hub
 * may run meanwhile: each transaction is short, unless a single channel is very long.
 * @param of.dryRun only counts
 * @param of.keepUnread leaves channels in which a member has something to read
 * @throws StoreOpenError when the database cannot be opened; StorageError when removing fails,
 *   where what was removed before stays removed
 */
export async function pruneEnded(of: {
  path: string;
  endedBeforeMs: number;
  dryRun?: boolean;
  keepUnread?: boolean;
}): Promise<PruneResult> {
  const db = openExisting(of.path, of.dryRun ? "read" : "write");
  try {
    const candidates = db.prepare<[Record<string, number>], Candidate>(PRUNE_SQL.candidates);
    const total: PruneResult = { channels: 0, entries: 0, bytes: 0, unread: 0 };
    const given = { before: of.endedBeforeMs, unreadToo: of.keepUnread ? 0 : 1 };
    const remove = of.dryRun ? undefined : remover(db);
    for (let after = 0; ; ) {
      const found = candidates.all({ ...given, after, limit: CHANNELS_AT_ONCE });
      for (const batch of batches(found)) {
        const removed = remove === undefined ? batch : await remove(batch);
        for (const { entries, bytes, isUnread } of removed) {
          total.channels += 1;
          total.entries += entries;
          total.bytes += bytes;
          total.unread += isUnread;
        }
      }
      const last = found.at(-1);
      if (last === undefined) return total;
      after = last.id;
    }
  } catch (error) {
    throw translate(error, "remove channels");
  } finally {
    db.close();
  }
}

/** Removes channels in one transaction; resolves, with those that were there, after a pause. */
function remover(db: Database): (batch: Candidate[]) => Promise<Candidate[]> {
  const log = limitLog(db);
  const isStill = db.prepare<[number, string]>(PRUNE_SQL.isStill);
  const removeEntries = db.prepare<[number]>(PRUNE_SQL.removeEntries);
  const removeChannel = db.prepare<[number]>(PRUNE_SQL.removeChannel);
  const removeAll = db.transaction((batch: Candidate[]) =>
    batch.filter(({ id, channelId }) => {
      if (isStill.get(id, channelId) === undefined) return false;
      removeEntries.run(id);
      removeChannel.run(id);
      return true;
    }),
  );
  return async (batch) => {
    log.checkRoom();
    const startedAtMs = performance.now();
    const removed = removeAll.immediate(batch);
    if (log.isDue()) await log.copy();
    await pause(Math.max(MIN_PAUSE_MS, 2 * (performance.now() - startedAtMs)));
    return removed;
  };
}

function* batches(found: Candidate[]): Generator<Candidate[]> {
  let batch: Candidate[] = [];
  let entries = 0;
  let bytes = 0;
  for (const candidate of found) {
    entries += candidate.entries;
    bytes += candidate.bytes;
    if (batch.length > 0 && (entries > ENTRIES_AT_ONCE || bytes > BYTES_AT_ONCE)) {
      yield batch;
      batch = [];
      ({ entries, bytes } = candidate);
    }
    batch.push(candidate);
  }
  if (batch.length > 0) yield batch;
}
