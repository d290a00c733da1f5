import { type Channel, newChannel } from "../../src/hub/channel.js";
import type { EntryKind, StoredEntry } from "../../src/hub/entry.js";
import type { ServiceRecord, Store } from "../../src/hub/store.js";
import { AcceptPolicy, ChannelState } from "../../src/protocol/wire.js";

export const { CHANNEL_STATE_REQUESTED: REQUESTED, CHANNEL_STATE_ACTIVE: ACTIVE } = ChannelState;
export const { CHANNEL_STATE_OPEN: OPEN, CHANNEL_STATE_ENDED: ENDED } = ChannelState;
export const REJECTED = ChannelState.CHANNEL_STATE_REJECTED;

/** A channel of the provider "ada" and the consumer "bob" about "weather", unless told otherwise. */
export function aChannel(channelId: string, set: Partial<Channel> = {}): Channel {
  const of = { channelId, serviceId: "weather", providerId: "ada", consumerId: "bob" };
  return { ...newChannel({ ...of, createdAtMs: 1_795_000_000_000 }), state: ACTIVE, ...set };
}

/** A message of "ada" with no key, unless told otherwise. */
export function anEntry(
  channelId: string,
  seq: number,
  set: Partial<StoredEntry> = {},
): StoredEntry {
  return {
    channelId,
    seq,
    kind: "chatMessage",
    author: "ada",
    key: "",
    addressedByChannel: false,
    storedAtMs: 1_795_000_000_000 + seq,
    body: new Uint8Array([seq]),
    ...set,
  };
}

/** A service of "ada", unless told otherwise. */
export function aService(serviceId: string, set: Partial<ServiceRecord> = {}): ServiceRecord {
  return {
    serviceId,
    providerId: "ada",
    description: "",
    tags: [],
    metadata: new Map(),
    acceptPolicy: AcceptPolicy.ACCEPT_POLICY_MANUAL,
    maxActiveChats: 0,
    allowedConsumers: [],
    openChannelId: `open-${serviceId}`,
    registeredAtMs: 1_795_000_000_000,
    ...set,
  };
}

/** Stores channels in a transaction of their own, the first one first. */
export function putAll(store: Store, ...channels: Channel[]): Promise<void> {
  return store.transaction(async (tx) => {
    for (const channel of channels) await tx.putChannel(channel);
  });
}

/** Appends one more entry to a channel, in a transaction of its own. */
export function say(
  store: Store,
  channelId: string,
  kind: EntryKind = "chatMessage",
  set: Partial<Channel> = {},
): Promise<void> {
  return store.transaction(async (tx) => {
    const channel = await tx.channel(channelId);
    if (channel === undefined) throw new Error(`there is no channel ${channelId}`);
    const seq = channel.lastSeq + 1;
    await tx.putChannel({ ...channel, ...set, lastSeq: seq });
    await tx.append([anEntry(channelId, seq, { kind })]);
  });
}

/** Appends entries that are given in full; their channel must exist. */
export function appendAll(store: Store, entries: StoredEntry[]): Promise<void> {
  return store.transaction(async (tx) => {
    for (const entry of entries) {
      const channel = await tx.channel(entry.channelId);
      if (channel === undefined) throw new Error(`there is no channel ${entry.channelId}`);
      await tx.putChannel({ ...channel, lastSeq: entry.seq });
    }
    await tx.append(entries);
  });
}

/** An entry with its body as numbers, so that every kind of byte array compares. */
export function plain(
  entry: StoredEntry | undefined,
): (Omit<StoredEntry, "body"> & { body: number[] }) | undefined {
  return entry && { ...entry, body: [...entry.body] };
}
