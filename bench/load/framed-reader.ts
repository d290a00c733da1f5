import { createRest } from "./rest.ts";

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
  const rest = createRest();
  return {
    take(chunk, start, end) {
      const bytes = rest.join(chunk.subarray(start, end));
      let at = 0;
      while (bytes.length - at >= headBytes) {
        const from = at + headBytes;
        const next = from + lengthAt(bytes, at);
        if (next > bytes.length) break;
        onMessage(bytes, from, next);
        at = next;
      }
      rest.keep(bytes, at);
    },
  };
}
