import type { Context } from "../hub/context.js";
import type { StoredEntry } from "../hub/entry.js";
import type { BehindChannel, EntryPage } from "../hub/store.js";
import type { Refusal } from "../protocol/refusals.js";
import type { Outbox } from "./outbox.js";
import { encodeDelivery } from "./responses.js";
import type { Turns } from "./turns.js";

/** A page of the log may fill an outbox, so a turn holds only a few. */
const READ_WEIGHT = 64;

/** Delivers an agent's entries to its receiving session: from the log first, then live (D1). */
export interface Feed {
  /** Starts delivering: first what lies after these positions. */
  start(behind: BehindChannel[]): void;
  /** An entry was stored just now. */
  offer(entry: StoredEntry): void;
  /** There is room in the outbox again. */
  resume(): void;
  /** Delivers nothing further. */
  stop(): void;
}

/**
 * A channel is either live, and its new entries go straight into the outbox;
 * or it is behind, and its entries are read from the log, in order, until none
 * is left. It falls behind when the outbox is full, so a slow reader costs
 * memory for one number a channel and no entry is dropped (D4).
 *
 * There is no gap and no repeat where one becomes the other: jobs are told in
 * commit order, so a page that reached the end of the log is told before any
 * entry stored after it.
 * @param of.taken called when the transport has an entry's bytes
 * @param of.failed called when the log cannot be read
 */
export function createFeed(of: {
  agentId: string;
  outbox: Outbox;
  turns: Turns;
  taken?: (entry: StoredEntry) => void;
  failed: (refusal: Refusal) => void;
}): Feed {
  const { agentId, outbox, turns } = of;
  const behind = new Map<string, number>();
  let state: "new" | "delivering" | "stopped" = "new";
  let reading = false;

  function push(entry: StoredEntry, replayed: boolean): void {
    const { taken } = of;
    outbox.push(encodeDelivery(entry, replayed), taken && (() => taken(entry)));
  }

  function readOn(): void {
    const [next] = behind;
    const { frames, bytes } = outbox.room();
    if (state !== "delivering" || reading || next === undefined || frames === 0 || bytes === 0) {
      return;
    }
    const [channelId, afterSeq] = next;
    reading = true;
    turns.submit<EntryPage>({
      weight: READ_WEIGHT,
      run: ({ tx }: Context) =>
        tx.entries({ channelId, afterSeq, notBy: agentId, limit: frames, maxBytes: bytes }),
      done(page) {
        reading = false;
        if (state !== "delivering") return;
        for (const entry of page.entries) push(entry, true);
        // Behind channels take turns: what is left goes to the end of the line.
        behind.delete(channelId);
        const last = page.entries.at(-1);
        if (page.hasMore && last !== undefined) behind.set(channelId, last.seq);
        readOn();
      },
      // Nothing can be skipped, so the session ends and the next one starts from the positions.
      failed: of.failed,
    });
  }

  return {
    start(channels) {
      if (state !== "new") return;
      state = "delivering";
      for (const { channelId, position } of channels) behind.set(channelId, position);
      readOn();
    },
    offer(entry) {
      if (state !== "delivering" || behind.has(entry.channelId)) return;
      const { frames, bytes } = outbox.room();
      if (frames > 0 && bytes > 0) {
        push(entry, false);
      } else {
        behind.set(entry.channelId, entry.seq - 1);
      }
    },
    resume: readOn,
    stop() {
      state = "stopped";
      behind.clear();
    },
  };
}
