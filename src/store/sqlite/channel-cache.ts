import type { Channel } from "../../hub/channel.js";
import {
  type ChannelOrders,
  type ChannelRow,
  type ChannelRows,
  channelOf,
  rowOf,
} from "./channel-rows.js";

/** A channel that a transaction has read or written. */
export interface CachedChannel {
  /** As the transaction sees it; changed by putting another. */
  channel: Channel;
  readonly orders: ChannelOrders;
  /** As the table has it. */
  saved: ChannelRow;
  /** Seq of the newest entry in the log, whatever the channel says. */
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
  /** Notes an entry that is to get a row, and its channel's orders with it. */
  appended(channel: CachedChannel, seq: number): void;
  /** Throws where a channel's lastSeq is not that of its log (M3). */
  checkLogs(): void;
  /** Writes the changed channels; their entries have their rows. */
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
    const { id, last_used, answered_order } = row;
    const orders = { id, last_used, answered_order };
    const cached = { channel: channelOf(row), orders, saved: row, storedSeq };
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
      cached.channel = channel;
      changed.add(cached);
    },
    remove(channelId) {
      const cached = get(channelId);
      if (cached === undefined) return;
      rows.remove(cached.orders.id);
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
    appended(cached, seq) {
      cached.storedSeq = seq;
      changed.add(cached);
    },
    checkLogs() {
      for (const { channel, storedSeq } of known.values()) {
        if (channel.lastSeq !== storedSeq) {
          throw new Error(
            `a channel has lastSeq ${channel.lastSeq} where its log ends at ${storedSeq}`,
          );
        }
      }
    },
    flush() {
      for (const cached of changed) {
        const row = rowOf(cached.channel, cached.orders);
        rows.update(row, cached.saved);
        cached.saved = row;
      }
      changed.clear();
    },
  };
}
