import type { Database, Statement } from "better-sqlite3";
import type { Channel } from "../../hub/channel.js";
import type { ChannelState, EndCode, RejectCode } from "../../protocol/wire.js";

/** A row of the table channels. */
export interface ChannelRow {
  id: number;
  channel_id: string;
  service_id: string;
  provider_id: string;
  consumer_id: string;
  state: ChannelState;
  created_at_ms: number;
  requested_at_ms: number;
  timeout_ms: number;
  answer_seq: number;
  end_seq: number;
  closed_at_ms: number;
  reason: string;
  reject_code: RejectCode;
  end_code: EndCode;
  last_seq: number;
  provider_position: number;
  provider_due: number;
  consumer_position: number;
  consumer_due: number;
  /** Rowid of its newest entry; 0 where there is none. */
  last_used: number;
  /** Rowid of its accept or reject; 0 where there is none. */
  answered_order: number;
}

/** What a channel does not know of itself: its places in the orders of the table. */
export type ChannelOrders = Pick<ChannelRow, "id" | "last_used" | "answered_order">;

type Column = Exclude<keyof ChannelRow, "id">;

/** What changes with entries and acks, in groups: the columns of one are in the same indexes. */
const PROGRESS = [
  ["last_seq"],
  ["provider_position", "provider_due"],
  ["consumer_position", "consumer_due"],
  ["last_used"],
] as const satisfies Column[][];

/** What changes a few times in a channel's life. */
const HEAD = [
  "channel_id",
  "service_id",
  "provider_id",
  "consumer_id",
  "state",
  "created_at_ms",
  "requested_at_ms",
  "timeout_ms",
  "answer_seq",
  "end_seq",
  "closed_at_ms",
  "reason",
  "reject_code",
  "end_code",
  "answered_order",
] as const satisfies Column[];

const COLUMNS: readonly Column[] = [...HEAD, ...PROGRESS.flat()];

/** Statements about one channel. */
export interface ChannelRows {
  get(channelId: string): ChannelRow | undefined;
  /** Stores a new channel and returns its row. */
  insert(channel: Channel): ChannelRow;
  /** Writes what differs between a row and what is stored of it. */
  update(row: ChannelRow, saved: ChannelRow): void;
  /** Refused by the database where the channel has entries. */
  remove(id: number): void;
}

export function prepareChannelRows(db: Database): ChannelRows {
  const get = db.prepare<[string], ChannelRow>("SELECT * FROM channels WHERE channel_id = ?");
  const insert = db.prepare<[ChannelRow]>(
    `INSERT INTO channels (${COLUMNS}) VALUES (${COLUMNS.map((column) => `@${column}`)})`,
  );
  const assign = (columns: readonly Column[]) => columns.map((column) => `${column} = @${column}`);
  const updateAll = db.prepare<[ChannelRow]>(
    `UPDATE channels SET ${assign(COLUMNS)} WHERE id = @id`,
  );
  /** By the groups that are assigned, a bit for each: SQLite writes every index that names one of the columns. */
  const updates = new Map<number, Statement<[ChannelRow]>>();
  function updateOf(groups: number): Statement<[ChannelRow]> {
    const known = updates.get(groups);
    if (known !== undefined) return known;
    const columns = PROGRESS.filter((_, index) => groups & (1 << index)).flat();
    const update = db.prepare<[ChannelRow]>(
      `UPDATE channels SET ${assign(columns)} WHERE id = @id`,
    );
    updates.set(groups, update);
    return update;
  }
  const remove = db.prepare<[number]>("DELETE FROM channels WHERE id = ?");
  const differs = (columns: readonly Column[], a: ChannelRow, b: ChannelRow) =>
    columns.some((column) => a[column] !== b[column]);

  return {
    get: (channelId) => get.get(channelId),
    insert(channel) {
      const row = rowOf(channel, { id: 0, last_used: 0, answered_order: 0 });
      return { ...row, id: Number(insert.run(row).lastInsertRowid) };
    },
    update(row, saved) {
      if (differs(HEAD, row, saved)) {
        updateAll.run(row);
        return;
      }
      let groups = 0;
      for (const [index, columns] of PROGRESS.entries()) {
        if (differs(columns, row, saved)) groups |= 1 << index;
      }
      if (groups !== 0) updateOf(groups).run(row);
    },
    remove(id) {
      remove.run(id);
    },
  };
}

/** The row of a channel. */
export function rowOf(channel: Channel, orders: ChannelOrders): ChannelRow {
  return {
    ...orders,
    channel_id: channel.channelId,
    service_id: channel.serviceId,
    provider_id: channel.providerId,
    consumer_id: channel.consumerId,
    state: channel.state,
    created_at_ms: channel.createdAtMs,
    requested_at_ms: channel.requestedAtMs,
    timeout_ms: channel.timeoutMs,
    answer_seq: channel.answerSeq,
    end_seq: channel.endSeq,
    closed_at_ms: channel.closedAtMs,
    reason: channel.reason,
    reject_code: channel.rejectCode,
    end_code: channel.endCode,
    last_seq: channel.lastSeq,
    provider_position: channel.provider.position,
    provider_due: channel.provider.due,
    consumer_position: channel.consumer.position,
    consumer_due: channel.consumer.due,
  };
}

/** The channel of a row, an object of the caller's own. */
export function channelOf(row: ChannelRow): Channel {
  return {
    channelId: row.channel_id,
    serviceId: row.service_id,
    providerId: row.provider_id,
    consumerId: row.consumer_id,
    state: row.state,
    createdAtMs: row.created_at_ms,
    lastSeq: row.last_seq,
    requestedAtMs: row.requested_at_ms,
    timeoutMs: row.timeout_ms,
    answerSeq: row.answer_seq,
    endSeq: row.end_seq,
    closedAtMs: row.closed_at_ms,
    reason: row.reason,
    rejectCode: row.reject_code,
    endCode: row.end_code,
    provider: { position: row.provider_position, due: row.provider_due },
    consumer: { position: row.consumer_position, due: row.consumer_due },
  };
}
