import { once } from "node:events";
import { connect } from "node:net";
import { ACK, FRAME, frame } from "./frames.ts";

/** A connection on which anything can be said. */
export interface HostileSocket {
  /** Sends these bytes, as fast as they are taken; resolves also when the hub has closed. */
  say(bytes: Uint8Array): Promise<void>;
  /** Resolves when the hub has read so far and says so, or has closed. Where it is not read: never. */
  settled(): Promise<void>;
  /** The hub has closed the connection. */
  readonly isClosed: () => boolean;
  /** Resolves when it is closed, by whomever. */
  readonly closed: Promise<void>;
  /** Closes it; what the hub sends is not waited for. */
  cut(): Promise<void>;
}

/**
 * Connects to a hub on this machine.
 * @param address `127.0.0.1:port`
 * @param reads whether what the hub sends is taken. Default true
 */
export async function hostileSocket(address: string, reads = true): Promise<HostileSocket> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  const answers = new Map<number, () => void>();
  let pings = 0;
  let tail = Buffer.alloc(0);
  if (reads) {
    socket.on("data", (bytes: Buffer) => {
      tail = Buffer.concat([tail, bytes]);
      for (const [number, heard] of answers) {
        if (!tail.includes(ping(number, ACK))) continue;
        answers.delete(number);
        heard();
      }
      tail = tail.subarray(-PING_BYTES);
    });
  }
  await Promise.race([once(socket, "connect").catch(() => {}), closed]);
  async function say(bytes: Uint8Array): Promise<void> {
    if (socket.destroyed || !socket.writable) return;
    const taken = Promise.withResolvers<void>();
    socket.write(bytes, () => taken.resolve());
    await Promise.race([taken.promise, closed]);
  }
  return {
    say,
    async settled() {
      const answered = Promise.withResolvers<void>();
      pings += 1;
      answers.set(pings, () => answered.resolve());
      await say(ping(pings, 0));
      await Promise.race([answered.promise, closed]);
    },
    isClosed: () => socket.destroyed,
    closed,
    async cut() {
      socket.destroy();
      await closed;
    },
  };
}

const PING_BYTES = 17;

function ping(number: number, flags: number): Buffer {
  const payload = Buffer.alloc(8, "settled");
  payload.writeUInt32BE(number, 4);
  return frame(FRAME.ping, flags, 0, payload);
}
