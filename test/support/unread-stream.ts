/**
 * A program: a stream ends while its answer is on its way to a client that does not read, after it
 * has received half a header block. Says `collected` when the garbage collector has taken its session.
 */
import { once } from "node:events";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import {
  CONNECT,
  callHeaders,
  FRAME,
  frame,
  headerBlock,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  settings,
  windowUpdate,
} from "../../proof/fuzz/frames.ts";
import { holdForStream, holdSession } from "../../src/server/held-sessions.ts";

/** More than the sockets between them take. */
const ANSWER = Buffer.alloc(16 * 1024 * 1024);
const WIDE = 0x3fff_0000;

const http2 = createHttp2Server();
const server = createServer((socket) =>
  holdSession(socket, () => http2.emit("connection", socket)),
);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const BEGUN = Buffer.concat([
  PREFACE,
  settings([INITIAL_WINDOW_SIZE, WIDE]),
  windowUpdate(0, WIDE),
  callHeaders(1, CONNECT),
  frame(FRAME.headers, 0, 1, headerBlock([["x-large", "x".repeat(300)]])),
]);
// Which of two things V8 collects first is chance.
for (let times = 0; times < 10; times += 1) {
  const session = await unreadStream();
  while (session.deref() !== undefined) {
    await setImmediate();
    globalThis.gc?.();
  }
}
console.log("collected");
server.close();

/** Nothing here refers to the session or its stream any more when it has returned. */
async function unreadStream(): Promise<WeakRef<object>> {
  const closed = once(server, "connection").then(([socket]) => once(socket, "close"));
  const client = connect(port, "127.0.0.1").pause();
  client.write(BEGUN);
  const [stream] = (await once(http2, "stream")) as [ServerHttp2Stream];
  holdForStream(stream);
  const session = new WeakRef<object>(stream.session ?? {});
  // The rest of what the client said is read by then.
  await setImmediate();
  stream.respond();
  stream.write(ANSWER);
  await setImmediate();
  stream.destroy();
  await once(stream, "close");
  // By then Node.js has freed what it can of the stream.
  await setImmediate();
  client.destroy();
  await closed;
  // Session and stream are to be collected together, so not before Node.js is done with both.
  for (let round = 0; round < 10; round += 1) await setImmediate();
  return session;
}
