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
export class MessageMeter {
  #prefix = 0;
  #length = 0;
  #missing = 0;

  take(piece: Uint8Array): Metered {
    let completed = false;
    let longestBytes = 0;
    let [at, began] = [0, 0];
    while (at < piece.length) {
      if (this.#prefix < PREFIX_BYTES) {
        this.#length = this.#prefix === 0 ? 0 : this.#length * 256 + (piece[at] ?? 0);
        at += 1;
        this.#prefix += 1;
        if (this.#prefix < PREFIX_BYTES) continue;
        this.#missing = this.#length;
      }
      longestBytes = Math.max(longestBytes, this.#length);
      const here = Math.min(this.#missing, piece.length - at);
      this.#missing -= here;
      at += here;
      if (this.#missing > 0) break;
      completed = true;
      began = at;
      this.#prefix = 0;
    }
    return { completed, unfinishedBytes: piece.length - began, longestBytes };
  }
}
