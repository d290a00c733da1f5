import type { Receipt } from "../client/vocabulary.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";

/** Prints the hub's word that an entry is stored. */
export function printReceipt(receipt: Receipt, json: boolean): Promise<void> {
  if (json) return printJson(receipt);
  const before = receipt.duplicate ? " before" : "";
  const id = receipt.messageId ? `  message ${printable(receipt.messageId)}` : "";
  return print(`stored${before} as #${receipt.seq} of ${printable(receipt.channelId)}${id}`);
}
