import { ConnectResponse } from "claw-chat-hub/protocol";
import type { TraceEvent } from "./trace-events.ts";

/** A response of a session, and where in the trace its first and its last byte went out. */
export interface SentResponse {
  response: ConnectResponse;
  begunAt: number;
  endedAt: number;
}

const HTTP2_HEADER_BYTES = 9;
const GRPC_HEADER_BYTES = 5;
const DATA = 0;
const PADDED = 0x8;

/**
 * The responses that left by the connections, in the order in which they began. Every stream is
 * taken for a Connect; the connections of a load must carry nothing else.
 */
export function sentResponses(events: readonly TraceEvent[]): SentResponse[] {
  const sent: SentResponse[] = [];
  const connections = new Map<number, (bytes: Uint8Array, at: number) => void>();
  for (const event of events) {
    if (event.kind !== "send") continue;
    let take = connections.get(event.connection);
    if (take === undefined) {
      take = readConnection((response) => sent.push(response));
      connections.set(event.connection, take);
    }
    take(event.bytes, event.at);
  }
  return sent.sort((one, other) => one.begunAt - other.begunAt);
}

/** The frames of HTTP/2 (RFC 9113, 4.1), and the messages of gRPC in those of each stream. */
function readConnection(emit: (sent: SentResponse) => void) {
  const streams = new Map<number, Pieces>();
  const wire = pieces();
  return (bytes: Uint8Array, at: number): void => {
    wire.add(bytes, at);
    for (;;) {
      const header = wire.peek(HTTP2_HEADER_BYTES);
      if (header === undefined) return;
      const frame = wire.take(HTTP2_HEADER_BYTES + header.readUIntBE(0, 3));
      if (frame === undefined) return;
      if (header.readUInt8(3) !== DATA) continue;
      if ((header.readUInt8(4) & PADDED) !== 0) throw new Error("a padded frame is not understood");
      const id = header.readUInt32BE(5) & 0x7fffffff;
      const stream = streams.get(id) ?? pieces();
      streams.set(id, stream);
      for (const part of frame.skip(HTTP2_HEADER_BYTES)) stream.add(part.bytes, part.at);
      readMessages(stream, emit);
    }
  };
}

function readMessages(stream: Pieces, emit: (sent: SentResponse) => void): void {
  for (;;) {
    const header = stream.peek(GRPC_HEADER_BYTES);
    if (header === undefined) return;
    if (header.readUInt8(0) !== 0) throw new Error("a compressed message is not understood");
    const message = stream.take(GRPC_HEADER_BYTES + header.readUInt32BE(1));
    if (message === undefined) return;
    const response = ConnectResponse.decode(message.bytes.subarray(GRPC_HEADER_BYTES));
    emit({ response, begunAt: message.begunAt, endedAt: message.endedAt });
  }
}

interface Piece {
  bytes: Uint8Array;
  at: number;
}

interface Taken {
  bytes: Buffer;
  begunAt: number;
  endedAt: number;
  /** The rest as pieces. */
  skip(count: number): Piece[];
}

type Pieces = ReturnType<typeof pieces>;

/** Bytes in a row of which each knows where in the trace it went out. */
function pieces() {
  let held: Piece[] = [];
  let length = 0;
  const join = (count: number) => Buffer.concat(held.map((one) => one.bytes)).subarray(0, count);
  return {
    add(bytes: Uint8Array, at: number): void {
      if (bytes.length === 0) return;
      held.push({ bytes, at });
      length += bytes.length;
    },
    /** The next bytes, which stay; nothing where there are not as many. */
    peek: (count: number): Buffer | undefined => (length < count ? undefined : join(count)),
    /** The next bytes, which go. */
    take(count: number): Taken | undefined {
      if (length < count) return undefined;
      const [taken, rest] = split(held, count);
      held = rest;
      length -= count;
      return {
        bytes: Buffer.concat(taken.map((one) => one.bytes)),
        begunAt: taken[0]?.at ?? 0,
        endedAt: taken.at(-1)?.at ?? 0,
        skip: (skipped) => split(taken, skipped)[1],
      };
    },
  };
}

function split(all: readonly Piece[], count: number): [Piece[], Piece[]] {
  const before: Piece[] = [];
  const after: Piece[] = [];
  let left = count;
  for (const { bytes, at } of all) {
    const here = Math.min(left, bytes.length);
    left -= here;
    if (here > 0) before.push({ bytes: bytes.subarray(0, here), at });
    if (here < bytes.length) after.push({ bytes: bytes.subarray(here), at });
  }
  return [before, after];
}
