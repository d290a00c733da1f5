/** Before each message of a gRPC stream: whether it is compressed, and its length in four bytes. */
const PREFIX_BYTES = 5;

/** What a piece has brought. */
export interface Metered {
  /** A message is complete that was not before. */
  completed: boolean;
  /** How many of its bytes belong to a message that is not complete. */
  unfinishedBytes: number;
  /** How long the longest message in it says that it is. */
  longestBytes: number;
}

/** Follows the messages of one call through the pieces in which they come. */
export function createMessageMeter(): { take(piece: Uint8Array): Metered } {
  let prefix = 0;
  let length = 0;
  let missing = 0;

  return {
    take(piece) {
      let completed = false;
      let longestBytes = 0;
      let [at, began] = [0, 0];
      while (at < piece.length) {
        if (prefix < PREFIX_BYTES) {
          length = prefix === 0 ? 0 : length * 256 + (piece[at] ?? 0);
          at += 1;
          prefix += 1;
          if (prefix < PREFIX_BYTES) continue;
          missing = length;
        }
        longestBytes = Math.max(longestBytes, length);
        const here = Math.min(missing, piece.length - at);
        missing -= here;
        at += here;
        if (missing > 0) break;
        completed = true;
        began = at;
        prefix = 0;
      }
      return { completed, unfinishedBytes: piece.length - began, longestBytes };
    },
  };
}
