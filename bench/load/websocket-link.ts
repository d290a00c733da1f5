import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Link, LinkOptions } from "./link.ts";
import { createOutput } from "./output.ts";
import { createRest } from "./rest.ts";

const BINARY = 0x82;
const CLOSE = 8;
const MASKED = 0x80;

/** A WebSocket that sends and takes binary messages, each in one frame. */
export function openWebsocketLink(of: LinkOptions): Link {
  const [host = "", port] = of.address.split(":");
  const socket = connect({ host, port: Number(port), noDelay: true });
  const output = createOutput(socket);
  const over = Promise.withResolvers<void>();
  const rest = createRest();
  let upgraded = false;
  let ending = false;

  function send(message: Uint8Array): void {
    const size = message.length;
    const sizeBytes = size < 126 ? 0 : size < 65_536 ? 2 : 8;
    // A mask of zeros: the payload is sent as it is.
    const { bytes, at } = output.room(2 + sizeBytes + 4);
    bytes.fill(0, at, at + 6 + sizeBytes);
    bytes[at] = BINARY;
    bytes[at + 1] = MASKED | (sizeBytes === 0 ? size : sizeBytes === 2 ? 126 : 127);
    if (sizeBytes > 0)
      bytes.writeUIntBE(size, at + 2 + Math.max(0, sizeBytes - 6), Math.min(6, sizeBytes));
    output.put(message);
  }

  /** Where the frames begin, or -1 while the answer to the upgrade is not complete. */
  function takeUpgrade(bytes: Buffer): number {
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return -1;
    if (!bytes.toString("latin1", 0, end).startsWith("HTTP/1.1 101 ")) {
      of.onEnd(`no upgrade: ${bytes.toString("latin1", 0, end)}`);
    }
    upgraded = true;
    return end + 4;
  }

  function takeFrames(bytes: Buffer, start: number): number {
    let at = start;
    for (;;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const sizeBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
      const from = at + 2 + sizeBytes;
      if (from > bytes.length) return at;
      const size =
        sizeBytes === 0
          ? short
          : bytes.readUIntBE(from - Math.min(6, sizeBytes), Math.min(6, sizeBytes));
      if (from + size > bytes.length) return at;
      if (((bytes[at] ?? 0) & 15) === CLOSE) socket.end();
      else of.onMessage(bytes, from, from + size);
      at = from + size;
    }
  }

  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.join(chunk);
    const start = upgraded ? 0 : takeUpgrade(bytes);
    rest.keep(bytes, start < 0 ? 0 : takeFrames(bytes, start));
    of.onRead?.();
  });
  socket.on("error", (error) => ending || of.onEnd(error.message));
  socket.on("close", () => {
    over.resolve();
    if (!ending) of.onEnd("the connection was closed");
  });
  const upgrade = [
    `GET /?agent=${encodeURIComponent(of.agentId)} HTTP/1.1`,
    `Host: ${of.address}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
  ];
  output.put(Buffer.from(`${upgrade.join("\r\n")}\r\n\r\n`));
  return {
    send,
    async close() {
      ending = true;
      const { bytes, at } = output.room(6);
      bytes.fill(0, at, at + 6);
      bytes[at] = 0x80 | CLOSE;
      bytes[at + 1] = MASKED;
      await over.promise;
    },
  };
}
