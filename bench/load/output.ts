import type { Socket } from "node:net";

/** What is about to be written to a socket: everything of one event-loop turn in one write. */
export interface Output {
  /** Reserves bytes: they are to be written from `at` on. */
  room(size: number): { bytes: Buffer; at: number };
  put(part: Uint8Array): void;
}

const FIRST_SIZE = 4 * 1024;
const TOO_LARGE_TO_COPY = 64 * 1024;

/** Those that have something to write at the end of this turn. */
let unwritten: (() => void)[] = [];

function writeAll(): void {
  const writes = unwritten;
  unwritten = [];
  for (const write of writes) write();
}

export function createOutput(socket: Socket): Output {
  let bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
  let used = 0;

  function write(): void {
    const written = bytes.subarray(0, used);
    used = 0;
    if (written.length < TOO_LARGE_TO_COPY) {
      socket.write(Buffer.from(written));
      return;
    }
    socket.write(written);
    bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
  }

  function room(size: number): { bytes: Buffer; at: number } {
    if (used === 0) {
      if (unwritten.length === 0) setImmediate(writeAll);
      unwritten.push(write);
    }
    if (used + size > bytes.length) {
      const larger = Buffer.allocUnsafeSlow((used + size) * 2);
      bytes.copy(larger, 0, 0, used);
      bytes = larger;
    }
    const at = used;
    used += size;
    return { bytes, at };
  }

  return {
    room,
    put(part) {
      const { bytes: target, at } = room(part.length);
      target.set(part, at);
    },
  };
}
