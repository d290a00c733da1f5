import type { StorageError, Transaction } from "../../hub/store.js";
import type { AuditRows } from "./audit-rows.js";
import { cacheChannels } from "./channel-cache.js";
import type { ChannelQueries } from "./channel-queries.js";
import { type ChannelRow, type ChannelRows, channelOf } from "./channel-rows.js";
import type { CredentialRows } from "./credential-rows.js";
import { translate } from "./engine-errors.js";
import type { EntryRows } from "./entry-rows.js";
import { PendingEntries } from "./pending-entries.js";
import type { ServiceRows } from "./service-rows.js";

/** The prepared statements of a connection. */
export interface Statements {
  channelRows: ChannelRows;
  channelQueries: ChannelQueries;
  entryRows: EntryRows;
  serviceRows: ServiceRows;
  credentialRows: CredentialRows;
  auditRows: AuditRows;
}

/** One transaction between its BEGIN and its COMMIT, which are the caller's. */
export interface OpenTransaction {
  tx: Transaction;
  /** Writes what is still in memory; the transaction takes no more operations. Throws where it must not commit. */
  finish(): void;
  /** The transaction takes no more operations. */
  abandon(): void;
}

/**
 * Reads and writes of one transaction. Once an operation has failed, every
 * later one fails with the same error, and so does finish: SQLite may have
 * rolled back already, and what follows must not be stored on its own.
 * @param readOnly refuses every write with this error, which stops nothing else
 */
export function openTransaction(
  statements: Statements,
  readOnly: StorageError | undefined,
): OpenTransaction {
  const { channelRows, channelQueries, entryRows, serviceRows } = statements;
  const { credentialRows, auditRows } = statements;
  const cache = cacheChannels(channelRows);
  entryRows.begin();
  const pending = new PendingEntries(entryRows);
  let over = false;
  let failure: { error: unknown } | undefined;

  function perform<T>(doing: string, operation: () => T): T {
    if (over) throw new Error("the transaction is over; begin another");
    if (failure !== undefined) throw failure.error;
    try {
      return operation();
    } catch (error) {
      failure = { error: translate(error, doing) };
      throw failure.error;
    }
  }
  /** Not an async function: those are dearer by far, and this one never waits. */
  function settled<T>(doing: string, operation: () => T): Promise<T> {
    try {
      return Promise.resolve(perform(doing, operation));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  const read = <T>(operation: () => T): Promise<T> => settled("read", operation);
  const write = (operation: () => void): Promise<void> =>
    readOnly === undefined ? settled("write", operation) : Promise.reject(readOnly);
  function flush(): void {
    pending.flush();
    cache.flush();
  }
  const flushEntries = () => perform("write", () => pending.flush());
  /** A question about entries, answered after those in memory are written. */
  const askEntries = async <T>(question: () => T): Promise<T> => {
    flushEntries();
    return perform("read", question);
  };
  /** The same about channels. */
  const ask = async <T>(question: () => T): Promise<T> => {
    perform("write", flush);
    return perform("read", question);
  };

  const one = (row: ChannelRow | undefined) => row && channelOf(row);
  const many = (rows: ChannelRow[]) => rows.map(channelOf);

  const tx: Transaction = {
    channel: (channelId) => read(() => cache.get(channelId)?.channel),
    putChannel: (channel) => write(() => cache.put(channel)),
    deleteChannel: (channelId) =>
      write(() => {
        pending.flush();
        cache.remove(channelId);
      }),

    newestChannel: (of) => ask(() => one(channelQueries.newestChannel(of))),
    mostRecentlyUsed: (agentId, peerId) =>
      ask(() => one(channelQueries.mostRecentlyUsed(agentId, peerId))),
    pendingRequests: (of) => ask(() => many(channelQueries.pendingRequests(of))),
    newestAnswered: (of) => ask(() => one(channelQueries.newestAnswered(of))),
    countPending: (consumerId) => ask(() => channelQueries.countPending(consumerId)),
    countActive: (providerId, serviceId) =>
      ask(() => channelQueries.countActive(providerId, serviceId)),
    countUnended: (consumerId) => ask(() => channelQueries.countUnended(consumerId)),
    allPending: () => ask(() => many(channelQueries.allPending())),
    listChannels: (agentId, filter, page) =>
      ask(() => {
        const { rows, next } = channelQueries.listChannels(agentId, filter, page);
        return { channels: many(rows), next };
      }),
    listAllChannels: (filter, page) =>
      ask(() => {
        const { rows, next } = channelQueries.listAllChannels(filter, page);
        return { channels: many(rows), next };
      }),
    channelsBehind: (agentId) => ask(() => channelQueries.channelsBehind(agentId)),

    append: (entries, after) =>
      write(() => {
        if (after !== undefined) cache.put(after);
        for (const entry of entries) {
          const channel = cache.expectNext(entry.channelId, entry.seq);
          cache.appended(channel, entry.seq);
          pending.add(channel, entry);
        }
      }),
    entryByKey: (author, kind, key) =>
      read(() => {
        if (entryRows.isNew(author, kind, key)) return undefined;
        flushEntries();
        return entryRows.byKey(author, kind, key);
      }),
    entry: (channelId, seq) => askEntries(() => entryRows.bySeq(channelId, seq)),
    entries: (range) => askEntries(() => entryRows.range(range)),

    service: (serviceId) => read(() => serviceRows.get(serviceId)),
    putService: (service) => write(() => serviceRows.put(service)),
    deleteService: (serviceId) => write(() => serviceRows.remove(serviceId)),
    services: (page) => read(() => serviceRows.page(page)),
    countServices: (providerId) => read(() => serviceRows.count(providerId)),

    keys: () => read(() => credentialRows.keys()),
    putKey: (key) => write(() => credentialRows.putKey(key)),
    knowsAgent: (agentId) => read(() => credentialRows.knowsAgent(agentId)),
    nameAgent: (agentId) => write(() => credentialRows.nameAgent(agentId)),

    audit: (events) =>
      write(() => {
        for (const event of events) auditRows.add(event);
      }),
    auditLog: (range) => read(() => auditRows.range(range)),

    flush: () => settled("write", flush),
  };

  return {
    tx,
    finish() {
      perform("write", () => {
        cache.checkLogs();
        flush();
      });
      over = true;
    },
    abandon() {
      over = true;
    },
  };
}
