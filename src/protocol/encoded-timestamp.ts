import { timestampOf } from "./time.js";
import { Timestamp } from "./wire.js";

let lastMs = -1;
let lastBytes: Uint8Array = new Uint8Array(0);

/**
 * Milliseconds since the epoch, as an encoded protobuf timestamp; not to be changed. Under load many entries are of one
 * millisecond, and its big integers cost as much as the rest of a receipt (`npm run bench:profile`).
 */
export function encodedTimestamp(epochMs: number): Uint8Array {
  if (epochMs !== lastMs) {
    lastBytes = Timestamp.encode(timestampOf(epochMs)).finish();
    lastMs = epochMs;
  }
  return lastBytes;
}
