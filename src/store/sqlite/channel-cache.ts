import type { Channel } from "../../hub/channel.js";
import type { StoredEntry } from "../../hub/entry.js";
import { type ChannelRow, type ChannelRows, rowOf } from "./channel-rows.js";

/** A channel that a transaction has read or written. */
export interface CachedChannel {
  /** As the transaction sees it. */
  row: ChannelRow;
  /** As the table has it. */
  saved: ChannelRow;
  /** Seq of the newest entry in the log, whatever the row says. */
  storedSeq: number;
}

/**
 * The channels of one transaction. A channel that many entries go to is read
 * once and written once: when a query needs the table to be right, or at the end.
 */
export interface ChannelCache {
  get(channelId: string): CachedChannel | undefined;
  put(channel: Channel): void;
  /** Removes a channel; the database refuses where it has entries. */
  remove(channelId: string): void;
  /** The channel to which an entry may be appended; throws unless its seq is the next one (M3). */
  expectNext(channelId: string, seq: number): CachedChannel;
  /** Notes an entry that has been stored under a rowid. */
  appended(channel: CachedChannel, entry: StoredEntry, rowid: number): void;
  /** Throws where a channel's lastSeq is not that of its log (M3). */
  checkLogs(): void;
  /** Writes the changed channels. */
  flush(): void;
}

/** An empty cache, for one transaction. */
export function cacheChannels(rows: ChannelRows): ChannelCache {
  const known = new Map<string, CachedChannel>();
  const changed = new Set<CachedChannel>();

  function get(channelId: string): CachedChannel | undefined {
    const cached = known.get(channelId);
    if (cached !== undefined) return cached;
    const row = rows.get(channelId);
    return row && remember(row, row.last_seq);
  }

  function remember(row: ChannelRow, storedSeq: number): CachedChannel {
    const cached = { row, saved: row, storedSeq };
    known.set(row.channel_id, cached);
    return cached;
  }

  return {
    get,
    put(channel) {
      const cached = get(channel.channelId);
      if (cached === undefined) {
        remember(rows.insert(channel), 0);
        return;
      }
      const { id, last_used, answered_order } = cached.row;
      cached.row = rowOf(channel, { id, last_used, answered_order });
      changed.add(cached);
    },
    remove(channelId) {
      const cached = get(channelId);
      if (cached === undefined) return;
      rows.remove(cached.row.id);
      known.delete(channelId);
      // The next new channel may get its rowid.
      changed.delete(cached);
    },
    expectNext(channelId, seq) {
      const cached = get(channelId);
      if (cached === undefined) throw new Error("an entry's channel must be stored before it");
      if (seq !== cached.storedSeq + 1) {
        throw new Error(`an entry has seq ${seq} where ${cached.storedSeq + 1} is next`);
      }
      return cached;
    },
    appended(channel, entry, rowid) {
      channel.storedSeq = entry.seq;
      const isAnswer = entry.kind === "chatAccept" || entry.kind === "chatReject";
      channel.row = {
        ...channel.row,
        last_used: rowid,
        answered_order: isAnswer ? rowid : channel.row.answered_order,
      };
      changed.add(channel);
    },
    checkLogs() {
      for (const { row, storedSeq } of known.values()) {
        if (row.last_seq !== storedSeq) {
          throw new Error(
            `a channel has lastSeq ${row.last_seq} where its log ends at ${storedSeq}`,
          );
        }
      }
    },
    flush() {
      for (const cached of changed) {
        rows.update(cached.row, cached.saved);
        cached.saved = cached.row;
      }
      changed.clear();
    },
  };
}
