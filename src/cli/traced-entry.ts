import { deliveryOf } from "../client/delivery.js";
import type { IncomingEntry } from "../client/incoming.js";
import { type EntryActions, incomingEntryOf } from "../client/incoming-entry.js";
import type { TracedFrame } from "../client/options.js";

/** The entry that a frame delivered, only to look at; undefined for everything else that travels. */
export function tracedEntry({ response }: TracedFrame): IncomingEntry | undefined {
  const delivery = response && deliveryOf(response);
  return delivery && incomingEntryOf(delivery, LOOK_ONLY);
}

const lookOnly = () => Promise.reject(new Error("a traced entry is only to look at"));
const LOOK_ONLY: EntryActions = {
  ack() {},
  reply: lookOnly,
  accept: lookOnly,
  reject: lookOnly,
};
