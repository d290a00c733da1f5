import type { AcceptPolicy, ChannelState } from "../protocol/wire.js";
import type { AuditEvent, AuditRange, AuditRow } from "./audit.js";
import type { Channel } from "./channel.js";
import type { KeyRecord } from "./credentials.js";
import type { EntryKind, StoredEntry } from "./entry.js";

/**
 * What the hub needs of a database. Asynchronous, so that an engine behind a
 * socket fits; every engine passes the same contract tests.
 */
export interface Store {
  /** Names this log; made when the database is created (D7). */
  readonly epoch: string;
  /** False where a commit does not survive the process, as with `:memory:`. */
  readonly durable: boolean;
  /**
   * Resolves with a StorageError of the kind "fatal" when the store can promise
   * nothing any more; every later transaction is rejected with it.
   */
  readonly failed: Promise<StorageError>;
  /**
   * Runs work in one transaction and returns its result once the transaction
   * is committed and synced to disk (M1). Transactions run one after another.
   * What work reads is locked until then: no other writer changes it.
   *
   * When work throws, nothing is stored and its error is passed on.
   * @param readOnly refuses every write of work with this error. Such a transaction needs neither
   *   space nor the right to write, so that reading goes on where storing does not.
   * @throws StorageError when the database could not begin or commit; nobody may be told that
   *   anything of it is stored
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, readOnly?: StorageError): Promise<T>;
  /** Whether anybody else has written to the database since this was last asked. Cheap. */
  changedElsewhere(): boolean;
  /**
   * Waits for the running transaction, and for what is done behind it, and closes the database.
   * `failed` may resolve meanwhile.
   */
  close(): Promise<void>;
}

/**
 * What a storage error means for whoever asked.
 * - `unavailable`: not now; trying again may succeed.
 * - `full`: there is no room for writing; reading goes on.
 * - `fatal`: nobody knows any more what is on the disk, so nothing may be promised.
 */
export type StorageTrouble = "unavailable" | "full" | "fatal";

/** The database would not take or give something; the cause is the engine's own error. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: StorageTrouble;
  /** @param kind default `unavailable` */
  constructor(message: string, options: ErrorOptions & { kind?: StorageTrouble } = {}) {
    super(message, options);
    this.kind = options.kind ?? "unavailable";
  }
}

/** A registered service (S1, S2). */
export interface ServiceRecord {
  serviceId: string;
  providerId: string;
  description: string;
  tags: string[];
  metadata: Map<string, string>;
  acceptPolicy: AcceptPolicy;
  /** 0: no limit (C5). */
  maxActiveChats: number;
  /** Ids and patterns of those who may ask for it; empty: all. */
  allowedConsumers: string[];
  /** The channel its next consumer will be bound to. */
  openChannelId: string;
  registeredAtMs: number;
}

/** Which channels a listing shows; what is undefined does not restrict. */
export interface ChannelFilter {
  state?: ChannelState | undefined;
  serviceId?: string | undefined;
  peerId?: string | undefined;
}

/** One page of channels, newest first. */
export interface ChannelPage {
  channels: Channel[];
  /** Passed as `before` it gets the next page; undefined on the last. */
  next: string | undefined;
}

/** Which entries of a channel to read, in seq order. */
export interface EntryRange {
  channelId: string;
  /** Only larger seqs than this. */
  afterSeq?: number | undefined;
  /** Only smaller seqs than this. */
  beforeSeq?: number | undefined;
  /** Only this kind. */
  kind?: EntryKind | undefined;
  /** Not those of this author. */
  notBy?: string | undefined;
  /** Take the newest of the range rather than its oldest; the result is in seq order either way. */
  newest?: boolean;
  /** At most this many entries. */
  limit: number;
  /** Stops before the bodies together exceed this; one larger entry is returned alone. */
  maxBytes: number;
}

/** Entries read, in seq order. */
export interface EntryPage {
  entries: StoredEntry[];
  /** The range holds more than was returned. */
  hasMore: boolean;
}

/** A channel in which an agent has something to read. */
export interface BehindChannel {
  channelId: string;
  position: number;
  /** Seq of the newest entry it has to read. */
  due: number;
}

/** Reads and writes of one transaction. A read sees the writes before it. */
export interface Transaction {
  /** The channel of that name. */
  channel(channelId: string): Promise<Channel | undefined>;
  /** Stores a channel that is new or has changed. Order of first storing is what "newest" means (M4). */
  putChannel(channel: Channel): Promise<void>;
  /** Removes a channel that has no entries (S2). */
  deleteChannel(channelId: string): Promise<void>;

  /**
   * The newest channel the agent is a member of about a service.
   * @param of.providerId only with this provider (S2)
   * @param of.peerId only with this agent on the other side
   * @param of.state only in this state; where undefined, any but OPEN
   */
  newestChannel(of: {
    agentId: string;
    serviceId: string;
    providerId?: string | undefined;
    peerId?: string | undefined;
    state?: ChannelState | undefined;
  }): Promise<Channel | undefined>;
  /** The active channel between two agents that got an entry last, whichever of them provides. */
  mostRecentlyUsed(agentId: string, peerId: string): Promise<Channel | undefined>;
  /** Requested channels between the two, oldest first, at most limit. serviceId "" means any. */
  pendingRequests(of: {
    providerId: string;
    consumerId?: string | undefined;
    serviceId?: string | undefined;
    limit: number;
  }): Promise<Channel[]>;
  /** The channel between the two whose request was answered last. serviceId "" means any. */
  newestAnswered(of: {
    providerId: string;
    consumerId: string;
    serviceId?: string | undefined;
  }): Promise<Channel | undefined>;
  /** How many requests of a consumer are pending. */
  countPending(consumerId: string): Promise<number>;
  /** How many chats about a service of this provider are active. */
  countActive(providerId: string, serviceId: string): Promise<number>;
  /** How many requested and active channels an agent has begun. */
  countUnended(consumerId: string): Promise<number>;
  /** Every requested channel, for the timers of a starting hub (C4). */
  allPending(): Promise<Channel[]>;
  /** A page of an agent's channels, newest first, before the mark of the page before. */
  listChannels(
    agentId: string,
    filter: ChannelFilter,
    page: { before?: string | undefined; limit: number },
  ): Promise<ChannelPage>;
  /** The same of the channels of all agents; `peerId` is then either member. */
  listAllChannels(
    filter: ChannelFilter,
    page: { before?: string | undefined; limit: number },
  ): Promise<ChannelPage>;
  /** The channels in which the agent's position is smaller than its due, oldest first. */
  channelsBehind(agentId: string): Promise<BehindChannel[]>;

  /**
   * Stores entries, whose seqs follow the channel's stored ones without a gap.
   * @param channel is stored as well: as it is after them
   */
  append(entries: StoredEntry[], channel?: Channel): Promise<void>;
  /** The entry an author stored under a key (M2, C2). */
  entryByKey(author: string, kind: EntryKind, key: string): Promise<StoredEntry | undefined>;
  /** The entry at a place. */
  entry(channelId: string, seq: number): Promise<StoredEntry | undefined>;
  /** Entries of a range. */
  entries(range: EntryRange): Promise<EntryPage>;

  /** The service of that name. */
  service(serviceId: string): Promise<ServiceRecord | undefined>;
  /** Stores a service that is new or has changed. */
  putService(service: ServiceRecord): Promise<void>;
  deleteService(serviceId: string): Promise<void>;
  /** Services ordered by id, after the given one, at most limit. */
  services(page: { after: string; limit: number }): Promise<ServiceRecord[]>;
  /** How many services a provider has registered. */
  countServices(providerId: string): Promise<number>;

  /** Every API key, expired and revoked ones included, the oldest first. */
  keys(): Promise<KeyRecord[]>;
  /** Stores a key that is new or has changed. */
  putKey(key: KeyRecord): Promise<void>;
  /** Whether credentials have named an agent before (I3). */
  knowsAgent(agentId: string): Promise<boolean>;
  /** Notes that credentials have named an agent. */
  nameAgent(agentId: string): Promise<void>;

  /** Adds lines to the audit log, which nothing changes or removes. */
  audit(events: AuditEvent[]): Promise<void>;
  /** Lines of the audit log, the newest first. */
  auditLog(range: AuditRange): Promise<AuditRow[]>;

  /** Sends the database what was only gathered so far, so that the commit takes less time. */
  flush(): Promise<void>;
}
