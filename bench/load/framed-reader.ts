/** Finds the messages in a byte stream in which each has its length before it. */
export interface FramedReader {
  take(bytes: Buffer, from: number, to: number): void;
}

/**
 * @param headBytes size of what stands before each message
 * @param lengthAt reads the message's length out of it
 * @param onMessage told where a message lies; it is there until this returns
 */
export function createFramedReader(
  headBytes: number,
  lengthAt: (bytes: Buffer, at: number) => number,
  onMessage: (bytes: Buffer, from: number, to: number) => void,
): FramedReader {
  let rest: Buffer = Buffer.alloc(0);
  return {
    take(chunk, start, end) {
      let bytes = chunk;
      let at = start;
      let to = end;
      if (rest.length > 0) {
        bytes = Buffer.concat([rest, chunk.subarray(start, end)]);
        at = 0;
        to = bytes.length;
      }
      while (to - at >= headBytes) {
        const from = at + headBytes;
        const next = from + lengthAt(bytes, at);
        if (next > to) break;
        onMessage(bytes, from, next);
        at = next;
      }
      rest = at === to ? EMPTY : Buffer.from(bytes.subarray(at, to));
    },
  };
}

const EMPTY: Buffer = Buffer.alloc(0);
