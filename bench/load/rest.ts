/** The end of what has come in that is not complete yet, in one buffer that is used again and again. */
export interface Rest {
  /** What was kept, and the chunk behind it; good until the next call of either function. */
  join(chunk: Buffer): Buffer;
  /** Keeps what of the joined bytes lies from there on. */
  keep(joined: Buffer, from: number): void;
}

export function createRest(): Rest {
  let kept: Buffer = Buffer.allocUnsafeSlow(0);
  let used = 0;

  function makeRoom(size: number): void {
    if (size <= kept.length) return;
    const larger = Buffer.allocUnsafeSlow(size * 2);
    kept.copy(larger, 0, 0, used);
    kept = larger;
  }

  return {
    join(chunk) {
      if (used === 0) return chunk;
      makeRoom(used + chunk.length);
      chunk.copy(kept, used);
      used += chunk.length;
      return kept.subarray(0, used);
    },
    keep(joined, from) {
      const size = joined.length - from;
      // Where it was joined, it lies in the same buffer, and copying knows that.
      if (size > 0 && joined.buffer !== kept.buffer) {
        used = 0;
        makeRoom(size);
      }
      joined.copy(kept, 0, from);
      used = size;
    },
  };
}
