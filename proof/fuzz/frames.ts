/** HTTP/2 and gRPC as bytes, so that they can be said wrongly. */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Types of HTTP/2 frames (RFC 9113, section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;

/** One frame. @param stream 0 is the connection */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A SETTINGS frame. @param pairs identifier and value */
export function settings(...pairs: [id: number, value: number][]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}

export const INITIAL_WINDOW_SIZE = 4;

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(FRAME.windowUpdate, 0, stream, uint32(increment));
}

export function rstStream(stream: number): Buffer {
  return frame(FRAME.rstStream, 0, stream, uint32(8));
}

/** A header block (RFC 7541): every field literal, nothing indexed, no Huffman code. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), hpackText(name), hpackText(value)]),
  );
}

export const CONNECT = "/claw.chat.v1.ChatHub/Connect";
export const LIST_CHANNELS = "/claw.chat.v1.ChatHub/ListChannels";

/** The header fields of a call. */
export function callFields(
  path: string,
  more: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "hub"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...more,
  ];
}

/** The HEADERS frame that begins a call. */
export function callHeaders(
  stream: number,
  path: string,
  more: readonly (readonly [string, string])[] = [["claw-agent-id", "mallory"]],
): Buffer {
  return frame(FRAME.headers, END_HEADERS, stream, headerBlock(callFields(path, more)));
}

/** A gRPC message. @param said the length it claims, where that is not its own */
export function grpcMessage(payload: Uint8Array, flag = 0, said = payload.length): Buffer {
  return Buffer.concat([Buffer.of(flag), uint32(said), payload]);
}

/** DATA frames of at most 16 KiB each. */
export function data(stream: number, payload: Uint8Array, flags = 0): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += 16_384) {
    const isLast = at + 16_384 >= payload.length;
    frames.push(frame(FRAME.data, isLast ? flags : 0, stream, payload.subarray(at, at + 16_384)));
  }
  return Buffer.concat(frames);
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([hpackInteger(bytes.length), bytes]);
}

/** With a prefix of 7 bits. */
function hpackInteger(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
