import type { Database } from "better-sqlite3";
import { apply } from "../../hub/apply.js";
import { type Channel, type MemberProgress, newChannel } from "../../hub/channel.js";
import { type EntryFrame, HUB_AUTHOR, type StoredEntry } from "../../hub/entry.js";
import { epochMsOf } from "../../protocol/time.js";
import {
  ChannelState,
  ChatAccept,
  ChatEnd,
  ChatMessage,
  ChatReject,
  ChatRequest,
} from "../../protocol/wire.js";
import { type ChannelRow, channelOf } from "./channel-rows.js";
import {
  type BlockRow,
  entriesOf,
  KIND_NUMBERS,
  MAX_BLOCK_ENTRIES,
  packed,
} from "./entry-block.js";
import type { Report } from "./verify.js";

interface StoredBlock extends BlockRow {
  id: number;
  first_key: string | null;
  last_key: string | null;
}

/**
 * Holds a channel against its log: seqs from 1 without gaps (M3), entries that say what their
 * columns say, and a state that is what the entries make of it.
 * @returns how many entries it has
 */
export function verifyChannel(db: Database, row: ChannelRow, report: Report): number {
  const found: Report = (violation) => report(`channel ${row.channel_id}: ${violation}`);
  const stored = channelOf(row);
  const blocks = db.prepare<[string, number], StoredBlock>(
    "SELECT entry_blocks.*, ? AS channel_id FROM entry_blocks WHERE channel = ? ORDER BY seq",
  );
  let replayed: Channel | undefined;
  let count = 0;
  let lastRowid = 0;
  let answerRowid = 0;
  for (const block of blocks.iterate(row.channel_id, row.id)) {
    if (block.id <= lastRowid) found(`entry ${block.seq} was stored before the one before it`);
    lastRowid = block.id;
    const entries = readBlock(block, found);
    if (entries === undefined) return count;
    for (const { entry, frame } of entries) {
      count += 1;
      if (entry.seq !== count) found(`entry ${entry.seq} stands where ${count} must be`);
      if (entry.kind === "chatAccept" || entry.kind === "chatReject") answerRowid = block.id;
      checkEntry(entry, frame, stored, found);
      replayed ??= beginning(stored, entry);
      replayed = apply(replayed, { ...entry, frame });
    }
  }
  if (replayed !== undefined) compare(stored, replayed, found);
  else if (stored.state !== ChannelState.CHANNEL_STATE_OPEN) found("it has no entries");
  if (row.last_seq !== count) found(`its last_seq is ${row.last_seq}, of ${count} entries`);
  if (row.last_used !== lastRowid) found("its place in the order of use is not its newest entry's");
  if (row.answered_order !== answerRowid) found("its place in the order of answers is wrong");
  checkProgress("provider", stored.provider, stored.lastSeq, found);
  checkProgress("consumer", stored.consumer, stored.lastSeq, found);
  return count;
}

/** A channel before its first entry: one that begins with a message was active at once (A3). */
function beginning(stored: Channel, first: StoredEntry): Channel {
  const direct = first.kind === "chatMessage";
  const { channelId, serviceId, providerId, createdAtMs } = stored;
  const consumerId = direct ? stored.consumerId : "";
  const channel = newChannel({ channelId, serviceId, providerId, consumerId, createdAtMs });
  return direct ? { ...channel, state: ChannelState.CHANNEL_STATE_ACTIVE } : channel;
}

function readBlock(
  block: StoredBlock,
  found: Report,
): { entry: StoredEntry; frame: EntryFrame }[] | undefined {
  try {
    const entries = entriesOf(block);
    checkBlock(block, entries, found);
    return entries.map((entry) => ({ entry, frame: decode(entry) }));
  } catch {
    found(`entry ${block.seq} cannot be decoded`);
    return undefined;
  }
}

/** What several entries are looked for and counted by is what they say; one alone has none of it. */
function checkBlock(block: StoredBlock, entries: StoredEntry[], found: Report): void {
  const { seq, body, heads, key, first_key, last_key } = block;
  if (heads === null) {
    if (block.entry_count !== 1 || first_key !== null || last_key !== null) {
      found(`entry ${seq} is alone in its row, which says something else`);
    }
    return;
  }
  const keys = entries.map(({ key }) => key);
  const ascend = keys.every((key, index) => index === 0 || key > (keys[index - 1] ?? ""));
  if (!ascend || key !== null || keys[0] !== first_key || keys.at(-1) !== last_key) {
    found(`the block up to entry ${seq} has other keys than it says`);
  }
  const whole = packed(entries);
  const last = entries.at(-1);
  const isWhole = whole.heads === heads && Buffer.compare(whole.body, body) === 0;
  if (!isWhole || Number(last?.addressedByChannel) !== block.addressed_by_channel) {
    found(`the block up to entry ${seq} has other entries than it says`);
  }
  if (last?.storedAtMs !== block.stored_at_ms) {
    found(`the block up to entry ${seq} has another time than its last entry`);
  }
  if (entries.length > MAX_BLOCK_ENTRIES || block.kind !== KIND_NUMBERS.chatMessage) {
    found(`the block up to entry ${seq} has entries that may not share a row`);
  }
}

function decode({ kind, body }: StoredEntry): EntryFrame {
  switch (kind) {
    case "chatRequest":
      return { $case: kind, value: ChatRequest.decode(body) };
    case "chatAccept":
      return { $case: kind, value: ChatAccept.decode(body) };
    case "chatReject":
      return { $case: kind, value: ChatReject.decode(body) };
    case "chatMessage":
      return { $case: kind, value: ChatMessage.decode(body) };
    case "chatEnd":
      return { $case: kind, value: ChatEnd.decode(body) };
    default:
      return kind satisfies never;
  }
}

/** The columns beside a body are taken from it, or went into it. */
function checkEntry(
  entry: StoredEntry,
  { $case, value }: EntryFrame,
  { providerId, consumerId }: Channel,
  found: Report,
): void {
  const differs = (what: string) => found(`entry ${entry.seq} has another ${what} in its body`);
  if (value.channelId !== entry.channelId) differs("channel_id");
  if (value.seq !== BigInt(entry.seq)) differs("seq");
  if (epochMsOf(value.timestamp) !== entry.storedAtMs) differs("timestamp");
  let key = "";
  let authors = [providerId, consumerId];
  switch ($case) {
    case "chatRequest":
      key = value.idempotencyKey;
      authors = [value.consumerId];
      break;
    case "chatMessage":
      key = value.messageId;
      authors = [value.senderId];
      break;
    case "chatEnd":
      authors = [value.endedBy === "" ? HUB_AUTHOR : value.endedBy];
      break;
    case "chatAccept":
    case "chatReject":
      authors = [providerId, HUB_AUTHOR];
      break;
    default:
      $case satisfies never;
  }
  if (key !== entry.key) differs("key");
  if (!authors.includes(entry.author)) differs("author");
  if (![providerId, consumerId, HUB_AUTHOR].includes(entry.author)) {
    found(`entry ${entry.seq} was written by somebody else than its members`);
  }
}

/** What the entries alone decide; positions are moved by acks as well. */
function compare(stored: Channel, replayed: Channel, found: Report): void {
  const { provider, consumer, ...of } = replayed;
  for (const [name, value] of Object.entries(of)) {
    const has = stored[name as keyof typeof of];
    if (has !== value) found(`its ${name} is not what its entries make of it`);
  }
  if (stored.provider.due !== provider.due) found("the provider's due is not its newest to read");
  if (stored.consumer.due !== consumer.due) found("the consumer's due is not its newest to read");
}

function checkProgress(
  role: string,
  { position, due }: MemberProgress,
  lastSeq: number,
  found: Report,
): void {
  if (position < 0 || position > lastSeq) {
    found(`the ${role}'s position is ${position}, of ${lastSeq} entries`);
  } else if (position >= due && position !== lastSeq) {
    found(`the ${role} has read everything, and its position is ${position}, not ${lastSeq}`);
  }
}
