/**
 * One gRPC stream on a connection of its own, as an HTTP/2 client that can just do that. node:http2
 * and grpc-js cost more for a message than the servers that are measured, so that they, and not the
 * servers, would be the limit.
 */
import { connect, type Socket } from "node:net";
import { createFramedReader } from "./framed-reader.ts";
import type { Link, LinkOptions } from "./link.ts";
import { createOutput } from "./output.ts";
import { createRest } from "./rest.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const INITIAL_WINDOW_SIZE = 4;
const STREAM = 1;
/** The largest that HTTP/2 allows; what was read is given back long before it is used up. */
const WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const GIVE_BACK = 2 ** 29;
/** The largest frame that a server takes unless it says more. */
const MAX_FRAME = 16_384;
const FRAME_HEAD = 9;
const GRPC_HEAD = 5;

/** Opens the connection and the stream. What the server answers comes to `of.onMessage`. */
export function openHttp2Link(of: LinkOptions): Link {
  const [host = "", port] = of.address.split(":");
  const socket: Socket = connect({ host, port: Number(port), noDelay: true });
  const output = createOutput(socket);
  const reader = createFramedReader(
    GRPC_HEAD,
    (bytes, at) => bytes.readUInt32BE(at + 1),
    of.onMessage,
  );
  const over = Promise.withResolvers<void>();
  /** Encoded gRPC messages that wait for the server's windows. */
  let waiting: Buffer[] = [];
  let connectionWindow = DEFAULT_WINDOW;
  let streamWindow = DEFAULT_WINDOW;
  let initialWindow = DEFAULT_WINDOW;
  let unreturned = 0;
  const rest = createRest();
  let ending = false;
  let ended = false;

  function frameHead(length: number, type: number, flags: number, stream: number): void {
    const { bytes, at } = output.room(FRAME_HEAD);
    bytes[at] = length >>> 16;
    bytes[at + 1] = (length >>> 8) & 0xff;
    bytes[at + 2] = length & 0xff;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes.writeUInt32BE(stream, at + 5);
  }

  function frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    frameHead(payload.length, type, flags, stream);
    output.put(payload);
  }

  function windowUpdate(stream: number, size: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(size);
    frame(WINDOW_UPDATE, 0, stream, payload);
  }

  function send(message: Uint8Array): void {
    const size = message.length + GRPC_HEAD;
    const fits = size <= MAX_FRAME && size <= connectionWindow && size <= streamWindow;
    if (waiting.length > 0 || !fits) {
      const whole = Buffer.allocUnsafe(size);
      whole[0] = 0;
      whole.writeUInt32BE(message.length, 1);
      whole.set(message, GRPC_HEAD);
      waiting.push(whole);
      sendWaiting();
      return;
    }
    frameHead(size, DATA, 0, STREAM);
    const { bytes, at } = output.room(GRPC_HEAD);
    bytes[at] = 0;
    bytes.writeUInt32BE(message.length, at + 1);
    output.put(message);
    connectionWindow -= size;
    streamWindow -= size;
  }

  function sendWaiting(): void {
    for (;;) {
      const [first] = waiting;
      const size = Math.min(first?.length ?? 0, MAX_FRAME, connectionWindow, streamWindow);
      if (first === undefined || size <= 0) return;
      frame(DATA, 0, STREAM, first.subarray(0, size));
      connectionWindow -= size;
      streamWindow -= size;
      if (size === first.length) waiting = waiting.slice(1);
      else waiting[0] = first.subarray(size);
    }
  }

  function end(reason: string): void {
    if (ended) return;
    ended = true;
    over.resolve();
    socket.destroy();
    if (!ending) of.onEnd(reason);
  }

  function takeSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      const size = payload.readUInt32BE(at + 2);
      streamWindow += size - initialWindow;
      initialWindow = size;
    }
    frame(SETTINGS, ACK, 0, new Uint8Array(0));
    sendWaiting();
  }

  function takeFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === SETTINGS && (flags & ACK) === 0) takeSettings(payload);
    if (type === PING && (flags & ACK) === 0) frame(PING, ACK, 0, payload);
    if (type === WINDOW_UPDATE) {
      if (stream === 0) connectionWindow += payload.readUInt32BE();
      else streamWindow += payload.readUInt32BE();
      sendWaiting();
    }
    if (type === RST_STREAM) end(`the stream was reset with code ${payload.readUInt32BE()}`);
    if (type === GOAWAY) end(`the server went away: ${payload.toString("latin1", 8)}`);
    // Its headers are not decoded: a stream that goes on has none with END_STREAM.
    if (type === HEADERS && (flags & END_STREAM) !== 0) end("the server ended the stream");
  }

  function takeData(bytes: Buffer, from: number, to: number): void {
    unreturned += to - from;
    if (unreturned > GIVE_BACK) {
      windowUpdate(0, unreturned);
      windowUpdate(STREAM, unreturned);
      unreturned = 0;
    }
    reader.take(bytes, from, to);
  }

  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.join(chunk);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD) {
      const from = at + FRAME_HEAD;
      const to = from + bytes.readUIntBE(at, 3);
      if (to > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      if (type === DATA && (flags & PADDED) === 0) takeData(bytes, from, to);
      else takeFrame(type, flags, bytes.readUInt32BE(at + 5), bytes.subarray(from, to));
      at = to;
    }
    rest.keep(bytes, at);
    of.onRead?.();
  });
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the connection was closed"));

  output.put(Buffer.from(PREFACE));
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(INITIAL_WINDOW_SIZE);
  settings.writeUInt32BE(WINDOW, 2);
  frame(SETTINGS, 0, 0, settings);
  windowUpdate(0, WINDOW - DEFAULT_WINDOW);
  frame(HEADERS, END_HEADERS, STREAM, encodeHeaders(headersOf(of)));

  return {
    send,
    async close() {
      ending = true;
      frameHead(0, DATA, END_STREAM, STREAM);
      await over.promise;
    },
  };
}

function headersOf({ address, agentId, apiKey }: LinkOptions): [string, string][] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/claw.chat.v1.ChatHub/Connect"],
    [":authority", address],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["claw-agent-id", agentId],
    ["claw-receive", "manual"],
    ...(apiKey === undefined ? [] : [["authorization", `Bearer ${apiKey}`] as [string, string]]),
  ];
}

/** HPACK at its simplest: every header as a literal that is not indexed, without Huffman. */
function encodeHeaders(headers: [string, string][]): Buffer {
  const text = (value: string) => {
    if (value.length > 126) throw new Error(`a header of ${value.length} bytes is too long here`);
    return [value.length, ...Buffer.from(value)];
  };
  return Buffer.from(headers.flatMap(([name, value]) => [0, ...text(name), ...text(value)]));
}
