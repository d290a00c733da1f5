import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { AGENT_ID_KEY, AUTHORIZATION_KEY, RECEIVE_KEY } from "../protocol/call-metadata.js";
import { holdForStream } from "./held-sessions.js";

/** Where grpc-js takes a new HTTP/2 stream, without channelz; not part of its interface. */
interface StreamTaker {
  _streamHandler?: (
    interceptors: unknown,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ) => void;
}

/** What decides who calls: right or wrong, it counts (I1). */
const DECIDING = [AUTHORIZATION_KEY, AGENT_ID_KEY, RECEIVE_KEY];
const PRINTABLE = /^[ -~]*$/;
/** Neither credentials nor a name nor a mode. */
const NO_VALUE = "?";

/**
 * Keeps a new stream that is gone already, or that cannot be answered, from ending the process:
 * grpc-js answers a call of an unknown method at once, and Node.js throws where its client has
 * reset it in the same breath. And sees to it that metadata which decide who calls are refused
 * where they cannot be read, rather than overlooked. To be called before the server has any connection.
 * @param taken called with each stream that the server has taken, and the path of its call
 * @throws Error where this version of grpc-js takes its streams otherwise
 */
export function guardStreams(
  server: Server,
  log: Logger,
  taken: (stream: ServerHttp2Stream, path: string) => void,
): void {
  const taker = server as unknown as StreamTaker;
  const take = taker._streamHandler;
  if (take === undefined) throw new Error("this version of grpc-js takes its streams otherwise");
  taker._streamHandler = (interceptors, stream, headers) => {
    // One that is destroyed emits its error all the same.
    if (stream.destroyed || stream.closed) {
      stream.on("error", () => {});
      return;
    }
    holdForStream(stream);
    for (const name of DECIDING) {
      // grpc-js would leave a value out that it cannot take, as if it had not been sent.
      if (!PRINTABLE.test(String(headers[name] ?? ""))) headers[name] = NO_VALUE;
    }
    try {
      take.call(server, interceptors, stream, headers);
      taken(stream, headers[":path"] ?? "");
    } catch (error) {
      log.debug({ err: error }, "a call could not be answered");
      stream.destroy();
    }
  };
}
