import { connect } from "node:net";
import { createFramedReader } from "./framed-reader.ts";
import type { Link, LinkOptions } from "./link.ts";
import { createOutput } from "./output.ts";

const HEAD = 4;

/** A connection to the relay on bare TCP: four bytes of length before each message. */
export function openTcpLink(of: LinkOptions): Link {
  const [host = "", port] = of.address.split(":");
  const socket = connect({ host, port: Number(port), noDelay: true });
  const output = createOutput(socket);
  const reader = createFramedReader(HEAD, (bytes, at) => bytes.readUInt32BE(at), of.onMessage);
  const over = Promise.withResolvers<void>();
  let ending = false;

  function send(message: Uint8Array): void {
    const { bytes, at } = output.room(HEAD + message.length);
    bytes.writeUInt32BE(message.length, at);
    bytes.set(message, at + HEAD);
  }

  socket.on("data", (chunk: Buffer) => {
    reader.take(chunk, 0, chunk.length);
    of.onRead?.();
  });
  socket.on("error", (error) => ending || of.onEnd(error.message));
  socket.on("close", () => {
    over.resolve();
    if (!ending) of.onEnd("the connection was closed");
  });
  send(Buffer.from(of.agentId));
  return {
    send,
    async close() {
      ending = true;
      // What was sent in this turn leaves at its end.
      setImmediate(() => socket.end());
      await over.promise;
    },
  };
}
