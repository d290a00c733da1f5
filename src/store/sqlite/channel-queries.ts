import type { Database } from "better-sqlite3";
import type { BehindChannel, ChannelFilter, Transaction } from "../../hub/store.js";
import { ChannelState } from "../../protocol/wire.js";
import type { ChannelRow } from "./channel-rows.js";
import { fixedPlans } from "./fixed-plans.js";

interface PageMark {
  before?: string | undefined;
  limit: number;
}

interface RowPage {
  rows: ChannelRow[];
  next: string | undefined;
}

/** Questions about channels; each is described at the Transaction's operation of that name. */
export interface ChannelQueries {
  newestChannel(of: Parameters<Transaction["newestChannel"]>[0]): ChannelRow | undefined;
  mostRecentlyUsed(agentId: string, peerId: string): ChannelRow | undefined;
  pendingRequests(of: Parameters<Transaction["pendingRequests"]>[0]): ChannelRow[];
  newestAnswered(of: Parameters<Transaction["newestAnswered"]>[0]): ChannelRow | undefined;
  countPending(consumerId: string): number;
  countActive(providerId: string, serviceId: string): number;
  countUnended(consumerId: string): number;
  allPending(): ChannelRow[];
  listChannels(agentId: string, filter: ChannelFilter, page: PageMark): RowPage;
  listAllChannels(filter: ChannelFilter, page: PageMark): RowPage;
  channelsBehind(agentId: string): BehindChannel[];
}

const ACTIVE = `state = ${ChannelState.CHANNEL_STATE_ACTIVE}`;
const PENDING = `state = ${ChannelState.CHANNEL_STATE_REQUESTED}`;

/** States of a channel that has a consumer. */
const BOUND_STATES = [
  ChannelState.CHANNEL_STATE_REQUESTED,
  ChannelState.CHANNEL_STATE_ACTIVE,
  ChannelState.CHANNEL_STATE_REJECTED,
  ChannelState.CHANNEL_STATE_ENDED,
];

/** The statements by name; a test asks SQLite how it answers each. NULL means any. */
export const CHANNEL_SQL = fixedPlans({
  byId: "SELECT * FROM channels WHERE id = @id",
  newestOfProvider: `SELECT id FROM channels
    WHERE provider_id = @provider AND service_id = @service AND state = @state
    ORDER BY id DESC LIMIT 1`,
  newestOfConsumer: `SELECT id FROM channels
    WHERE consumer_id = @consumer AND service_id = @service AND state = @state
    AND (@provider IS NULL OR provider_id = @provider) ORDER BY id DESC LIMIT 1`,
  mostRecentlyUsed: `SELECT * FROM channels
    WHERE provider_id = @provider AND consumer_id = @consumer AND ${ACTIVE}
    ORDER BY last_used DESC LIMIT 1`,
  // Its newest entry is its request, so that last_used is the order in which they were asked.
  pendingOfProvider: `SELECT * FROM channels WHERE provider_id = @provider AND ${PENDING}
    AND (@service IS NULL OR service_id = @service) ORDER BY last_used, id LIMIT @limit`,
  pendingOfPair: `SELECT * FROM channels
    WHERE consumer_id = @consumer AND provider_id = @provider AND ${PENDING}
    AND (@service IS NULL OR service_id = @service) ORDER BY last_used, id LIMIT @limit`,
  newestAnswered: `SELECT * FROM channels
    WHERE provider_id = @provider AND consumer_id = @consumer AND answered_order > 0
    AND (@service IS NULL OR service_id = @service) ORDER BY answered_order DESC LIMIT 1`,
  countPending: `SELECT count(*) FROM channels WHERE consumer_id = @consumer AND ${PENDING}`,
  countActive: `SELECT count(*) FROM channels
    WHERE provider_id = @provider AND service_id = @service AND ${ACTIVE}`,
  // Named, because SQLite would look through all that the consumer ever had.
  countUnended: `SELECT count(*) FROM channels INDEXED BY channels_unended_of_consumer
    WHERE consumer_id = @consumer AND state < 4`,
  allPending: `SELECT * FROM channels WHERE ${PENDING} ORDER BY last_used, id`,
  idOf: "SELECT id FROM channels WHERE channel_id = @name",
  listOfProvider: `SELECT * FROM channels WHERE provider_id = @agent AND id < @before
    AND (@peer IS NULL OR consumer_id = @peer) AND (@service IS NULL OR service_id = @service)
    AND (@state IS NULL OR state = @state) ORDER BY id DESC LIMIT @limit`,
  listOfConsumer: `SELECT * FROM channels WHERE consumer_id = @agent AND id < @before
    AND (@peer IS NULL OR provider_id = @peer) AND (@service IS NULL OR service_id = @service)
    AND (@state IS NULL OR state = @state) ORDER BY id DESC LIMIT @limit`,
  listOfAll: `SELECT * FROM channels WHERE id < @before
    AND (@peer IS NULL OR provider_id = @peer OR consumer_id = @peer)
    AND (@service IS NULL OR service_id = @service)
    AND (@state IS NULL OR state = @state) ORDER BY id DESC LIMIT @limit`,
  behind: `SELECT id, channel_id AS channelId, provider_position AS position,
      provider_due AS due FROM channels
      WHERE provider_id = @agent AND provider_position < provider_due
    UNION ALL SELECT id, channel_id, consumer_position, consumer_due FROM channels
      WHERE consumer_id = @agent AND consumer_position < consumer_due
    ORDER BY id`,
});

export function prepareChannelQueries(db: Database): ChannelQueries {
  type Given = [Record<string, string | number | null>];
  const rows = (sql: string) => db.prepare<Given, ChannelRow>(sql);
  const value = (sql: string) => db.prepare<Given, number>(sql).pluck();
  const byId = rows(CHANNEL_SQL.byId);
  const newestOfProvider = value(CHANNEL_SQL.newestOfProvider);
  const newestOfConsumer = value(CHANNEL_SQL.newestOfConsumer);
  const mostRecentlyUsed = rows(CHANNEL_SQL.mostRecentlyUsed);
  const pendingOfProvider = rows(CHANNEL_SQL.pendingOfProvider);
  const pendingOfPair = rows(CHANNEL_SQL.pendingOfPair);
  const newestAnswered = rows(CHANNEL_SQL.newestAnswered);
  const countPending = value(CHANNEL_SQL.countPending);
  const countActive = value(CHANNEL_SQL.countActive);
  const countUnended = value(CHANNEL_SQL.countUnended);
  const allPending = db.prepare<[], ChannelRow>(CHANNEL_SQL.allPending);
  const idOf = value(CHANNEL_SQL.idOf);
  const listOfProvider = rows(CHANNEL_SQL.listOfProvider);
  const listOfConsumer = rows(CHANNEL_SQL.listOfConsumer);
  const listOfAll = rows(CHANNEL_SQL.listOfAll);
  const behind = db.prepare<Given, BehindChannel>(CHANNEL_SQL.behind);

  function pageOf(
    statements: ReturnType<typeof rows>[],
    agent: string | undefined,
    filter: ChannelFilter,
    { before: mark, limit }: PageMark,
  ): RowPage {
    // The mark is a channel's name: a rowid would tell an agent how much others talk (C7).
    const before = mark === undefined ? Number.MAX_SAFE_INTEGER : (idOf.get({ name: mark }) ?? 0);
    const of = {
      ...(agent !== undefined && { agent }),
      before,
      peer: filter.peerId ?? null,
      service: filter.serviceId ?? null,
      state: filter.state ?? null,
      limit: limit + 1,
    };
    const found = statements.flatMap((statement) => statement.all(of));
    found.sort((a, b) => b.id - a.id);
    const page = found.slice(0, limit);
    return { rows: page, next: found.length > limit ? page.at(-1)?.channel_id : undefined };
  }

  return {
    newestChannel({ agentId, serviceId: service, providerId, peerId, state: asked }) {
      let newest = 0;
      const consider = (id: number | undefined) => {
        newest = Math.max(newest, id ?? 0);
      };
      // One look-up for each state: together they could not be read in order of id.
      for (const state of asked === undefined ? BOUND_STATES : [asked]) {
        if (providerId === undefined || providerId === agentId) {
          const of = { provider: agentId, service, state };
          if (peerId === undefined) consider(newestOfProvider.get(of));
          else consider(newestOfConsumer.get({ ...of, consumer: peerId }));
        }
        if (providerId === undefined || peerId === undefined || providerId === peerId) {
          const provider = providerId ?? peerId ?? null;
          consider(newestOfConsumer.get({ consumer: agentId, provider, service, state }));
        }
      }
      return newest === 0 ? undefined : byId.get({ id: newest });
    },
    mostRecentlyUsed(agentId, peerId) {
      const providing = mostRecentlyUsed.get({ provider: agentId, consumer: peerId });
      const consuming = mostRecentlyUsed.get({ provider: peerId, consumer: agentId });
      if (providing === undefined || consuming === undefined) return providing ?? consuming;
      return providing.last_used > consuming.last_used ? providing : consuming;
    },
    pendingRequests({ providerId: provider, consumerId: consumer, serviceId, limit }) {
      const of = { provider, service: serviceId || null, limit };
      return consumer === undefined
        ? pendingOfProvider.all(of)
        : pendingOfPair.all({ ...of, consumer });
    },
    newestAnswered: ({ providerId: provider, consumerId: consumer, serviceId }) =>
      newestAnswered.get({ provider, consumer, service: serviceId || null }),
    countPending: (consumer) => countPending.get({ consumer }) ?? 0,
    countActive: (provider, service) => countActive.get({ provider, service }) ?? 0,
    countUnended: (consumer) => countUnended.get({ consumer }) ?? 0,
    allPending: () => allPending.all(),
    listChannels: (agent, filter, page) =>
      pageOf([listOfProvider, listOfConsumer], agent, filter, page),
    listAllChannels: (filter, page) => pageOf([listOfAll], undefined, filter, page),
    channelsBehind: (agent) =>
      behind.all({ agent }).map(({ channelId, position, due }) => ({ channelId, position, due })),
  };
}
