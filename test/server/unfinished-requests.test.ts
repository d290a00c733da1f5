import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { afterEach, expect, test } from "vitest";
import { CONNECT, callHeaders, FRAME, frame, PREFACE, settings } from "../../proof/fuzz/frames.ts";
import { boundRequests } from "../../src/server/request-bounds.js";
import { boundUnfinished } from "../../src/server/unfinished-requests.js";
import { startTestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;
/** What ends the first call of a connection. */
const RESET = frame(FRAME.rstStream, 0, 1, Buffer.of(0, 0, 0, NGHTTP2_ENHANCE_YOUR_CALM));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that keeps what comes within these bounds, and a client of it. */
function bounded(maxBytes: number, maxRequestBytes: number) {
  const unfinished = boundUnfinished(maxBytes);
  return watched((stream) => unfinished.watch(stream, maxRequestBytes));
}

async function watched(watch: (stream: ServerHttp2Stream, path: string) => void) {
  const arrived: ServerHttp2Stream[] = [];
  const server = createServer((request) => {
    arrived.push(request.stream);
    watch(request.stream, request.headers[":path"] ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  ends.push(() => {
    session.destroy();
    server.close();
  });
  return { session, arrived };
}

/** A call whose first bytes have been read. */
async function call(
  session: ClientHttp2Session,
  bytes: Buffer,
  path = "/",
): Promise<ClientHttp2Stream> {
  const stream = session.request({ ":method": "POST", ":path": path });
  stream.on("error", () => {});
  await say(stream, bytes);
  return stream;
}

async function say(stream: ClientHttp2Stream, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => stream.write(bytes, () => resolve()));
  // What was said before a ping is read before it is answered.
  await new Promise<void>((resolve) => stream.session?.ping(() => resolve()));
}

/** A message, or the beginning of one. */
function message(saidBytes: number, cameBytes = saidBytes): Buffer {
  const bytes = Buffer.alloc(5 + cameBytes, 1);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(saidBytes, 1);
  return bytes;
}

async function codeOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
  return stream.rstCode;
}

test("M5: where unfinished requests are too much together, the oldest one is ended", async () => {
  const { session } = await bounded(10_000, 5_000);
  const first = await call(session, message(5_000, 4_000));
  const whole = await call(session, message(4_000));
  const second = await call(session, message(5_000, 4_000));
  expect(first.closed).toBe(false);
  const third = await call(session, message(5_000, 4_000));
  expect(await codeOf(first)).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
  // It began before the third, but is complete by then: what has come of the next one counts anew.
  await say(second, Buffer.concat([Buffer.alloc(1_000), message(5_000, 4_000)]));
  const fourth = await call(session, message(5_000, 4_000));
  expect(await codeOf(third)).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
  for (const stream of [whole, second, fourth]) expect(stream.closed).toBe(false);
});

test("M5: what ended calls had brought is counted no more", async () => {
  const { session, arrived } = await bounded(10_000, 5_000);
  const first = await call(session, message(5_000, 4_000));
  await call(session, message(5_000, 4_000));
  const gone = once(arrived[1] as ServerHttp2Stream, "close");
  (await call(session, message(5_000, 10))).close();
  arrived[1]?.close(NGHTTP2_NO_ERROR);
  await gone;
  await call(session, message(5_000, 4_000));
  expect(first.closed).toBe(false);
});

test("M5: a request that says it is too large is ended before it has come", async () => {
  const { session } = await bounded(1_000_000, 1_000);
  expect(await codeOf(await call(session, message(1_001, 0)))).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
  expect((await call(session, message(1_000, 0))).closed).toBe(false);
});

test("M5: of the calls that need no credentials, the oldest is ended when they are too many", async () => {
  const { session } = await watched(boundRequests(2));
  const open = (path: string) => call(session, message(0), path);
  const agents = await open(CONNECT);
  const first = await open("/grpc.health.v1.Health/Watch");
  const second = await open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  await open(CONNECT);
  expect(first.closed).toBe(false);
  const third = await open("/grpc.health.v1.Health/Watch");
  expect(await codeOf(first)).toBe(NGHTTP2_ENHANCE_YOUR_CALM);
  third.close();
  await new Promise((resolve) => third.once("close", resolve));
  const fourth = await open("/grpc.health.v1.Health/Check");
  for (const stream of [agents, second, fourth]) expect(stream.closed).toBe(false);
});

test("M5: a request in very many pieces ends its call, and no other", async () => {
  const hub = await startTestHub();
  const control = openAgent(hub.address, "control", "manual");
  await control.next("sessionStarted");
  const [host, port] = hub.address.split(":");
  const socket = connectTcp(Number(port), host);
  const reset = new Promise<void>((resolve) => {
    let heard = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.includes(RESET)) resolve();
    });
  });
  const begun = frame(FRAME.data, 0, 1, message(4_000_000, 0));
  socket.write(Buffer.concat([PREFACE, settings(), callHeaders(1, CONNECT), begun]));
  // 40 KB of a request, and what they are kept in would be 8 MiB.
  socket.write(Buffer.concat(Array<Buffer>(40_000).fill(frame(FRAME.data, 0, 1, Buffer.of(1)))));
  await reset;
  await control.settled();
  socket.destroy();
  await closeAgents();
  await hub.stop();
});
