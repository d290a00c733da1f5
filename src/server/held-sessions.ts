import { createHook } from "node:async_hooks";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** Node.js's own part of an HTTP/2 session: freed when nothing refers to it any more. */
const NATIVE = Symbol("the native part of an HTTP/2 session");
type HoldingSocket = Socket & { [NATIVE]?: object };

let created: object | undefined;
const callbacks = {
  init(_id: number, type: string, _trigger: number, resource: object): void {
    if (type === "HTTP2SESSION") created = resource;
  },
  // Where it is known, promises are not slowed down.
  trackPromises: false,
};
const creation = createHook(callbacks);

/** Those whose socket may still have something to say to them. */
const held = new Set<object>();
/** It keeps a session for every stream that has not been collected. */
const ofStreams = new FinalizationRegistry<object>(() => {});

/**
 * Lets a session begin on a connection, and holds it until its socket has closed and its streams
 * are no more. Node.js 24 ends the process by an assertion (`current_nghttp2_memory_`) where a session is
 * collected before a stream of it that has received part of a header block: a peer can bring that about.
 * @param begin hands the connection to the server, which makes the session at once
 */
export function holdSession(socket: Socket, begin: () => void): void {
  created = undefined;
  creation.enable();
  try {
    begin();
  } finally {
    creation.disable();
  }
  const native: object | undefined = created;
  created = undefined;
  if (native === undefined) return;
  held.add(native);
  (socket as HoldingSocket)[NATIVE] = native;
  // Node.js frees what it has of streams in its next round, before it runs this.
  socket.on("close", () => setImmediate(() => held.delete(native)));
}

/**
 * Holds the session of a stream until the stream has been collected: one whose answers were on
 * their way when it ended is not freed before.
 */
export function holdForStream(stream: ServerHttp2Stream): void {
  // Without a session it is over already, and had no answers.
  const { session } = stream;
  if (session === undefined || session.destroyed) return;
  const native = (session.socket as HoldingSocket)[NATIVE];
  if (native !== undefined) ofStreams.register(stream, native);
}
