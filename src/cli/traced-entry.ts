import { deliveryOf } from "../client/delivery.js";
import type { IncomingEntry } from "../client/incoming.js";
import { type EntryActions, incomingEntryOf } from "../client/incoming-entry.js";
import type { TracedFrame } from "../client/options.js";

/**
 * Reads frames in the order they travel.
 * @returns gives the entry that a frame delivered, only to look at: each once, though the hub
 * repeats what is unacked in every session (D1); undefined for everything else that travels
 */
export function tracedEntries(): (frame: TracedFrame) => IncomingEntry | undefined {
  const seen = new Map<string, number>();
  let epoch: string | undefined;
  return ({ response }) => {
    if (response?.frame?.$case === "sessionStarted") {
      const { storeEpoch } = response.frame.value;
      // Another store numbers its entries anew.
      if (epoch !== storeEpoch) seen.clear();
      epoch = storeEpoch;
    }
    const delivery = response && deliveryOf(response);
    if (delivery === undefined || delivery.seq <= (seen.get(delivery.channelId) ?? 0)) return;
    seen.set(delivery.channelId, delivery.seq);
    return incomingEntryOf(delivery, LOOK_ONLY);
  };
}

const lookOnly = () => Promise.reject(new Error("a traced entry is only to look at"));
const LOOK_ONLY: EntryActions = {
  ack() {},
  reply: lookOnly,
  accept: lookOnly,
  reject: lookOnly,
};
