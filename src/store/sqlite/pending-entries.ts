import type { StoredEntry } from "../../hub/entry.js";
import type { CachedChannel } from "./channel-cache.js";
import { MAX_BLOCK_BYTES, MAX_BLOCK_ENTRIES } from "./entry-block.js";
import type { EntryRows } from "./entry-rows.js";

/**
 * What is gathered at most before it is written, in rows and in bytes of bodies: a few milliseconds'
 * work, which goes on without a pause.
 */
const MAX_GATHERED_ROWS = 128;
const MAX_GATHERED_BYTES = 1024 * 1024;

/** Entries that are about to be one row. */
interface Block {
  channel: CachedChannel;
  entries: StoredEntry[];
  bytes: number;
  /** Key of its last entry where more may join, else undefined. */
  lastKey: string | undefined;
  /** When it got its last entry, among all of the transaction. */
  order: number;
}

/**
 * The entries of one transaction that have no row yet. Messages of an author that follow each other in a
 * channel become one row: of what storing one costs, nearly all is paid for the row
 * (docs/adr/0010-blocks.md). Only messages whose ids ascend, so that the ids of a block are a
 * range of the author's in which a block of another transaction has none.
 */
export class PendingEntries {
  readonly #rows: EntryRows;
  #blocks: Block[] = [];
  /** The block of each channel that got the channel's last entry. */
  readonly #last = new Map<CachedChannel, Block>();
  #count = 0;
  #bytes = 0;

  constructor(rows: EntryRows) {
    this.#rows = rows;
  }

  /**
   * @param entry the next one of its channel
   * @throws Error where a block has its key; the index sees to all others (M2)
   */
  add(channel: CachedChannel, entry: StoredEntry): void {
    const { kind, author, key, body } = entry;
    const before = kind === "chatMessage" ? this.#rows.noteMessageId(author, key) : undefined;
    if (before === undefined && kind === "chatMessage" && key !== "") {
      // Whoever looked for the key has had them flushed already.
      this.flush();
      if (this.#rows.isInBlock(author, key)) throw new Error("an author's key is stored already");
    }
    const isMuch = this.#bytes + body.length > MAX_GATHERED_BYTES;
    if (isMuch || this.#blocks.length >= MAX_GATHERED_ROWS) this.flush();
    this.#count += 1;
    this.#bytes += body.length;
    const last = this.#last.get(channel);
    // Then that block has the newest entry of the author, and of the channel.
    const joins =
      last !== undefined &&
      before !== undefined &&
      last.lastKey === before &&
      last.entries[0]?.author === author &&
      last.entries.length < MAX_BLOCK_ENTRIES &&
      last.bytes + body.length <= MAX_BLOCK_BYTES;
    if (joins) {
      last.entries.push(entry);
      last.bytes += body.length;
      last.lastKey = key;
      last.order = this.#count;
      return;
    }
    const lastKey = before === undefined ? undefined : key;
    const block = { channel, entries: [entry], bytes: body.length, lastKey, order: this.#count };
    this.#blocks.push(block);
    this.#last.set(channel, block);
  }

  /** Gives them their rows, in the order of their last entries: it is what "used last" means. */
  flush(): void {
    if (this.#blocks.length === 0) return;
    this.#blocks.sort((one, other) => one.order - other.order);
    for (const { channel, entries } of this.#blocks) {
      const rowid = this.#rows.insert(channel.orders.id, entries);
      channel.orders.last_used = rowid;
      const kind = entries[0]?.kind;
      if (kind === "chatAccept" || kind === "chatReject") channel.orders.answered_order = rowid;
    }
    this.#blocks = [];
    this.#bytes = 0;
    this.#last.clear();
  }
}
