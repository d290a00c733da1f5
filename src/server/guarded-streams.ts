import type { ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import type { Logger } from "pino";

/** Where grpc-js takes a new HTTP/2 stream; not part of its interface. */
interface StreamTaker {
  _channelzHandler?: (interceptors: unknown, stream: ServerHttp2Stream, headers: unknown) => void;
}

/**
 * Keeps a new stream that is gone already, or that cannot be answered, from ending the process:
 * grpc-js answers a call of an unknown method at once, and Node.js throws where its client has
 * reset it in the same breath. To be called before the server has any connection.
 * @throws Error where this version of grpc-js takes its streams otherwise
 */
export function guardStreams(server: Server, log: Logger): void {
  const taker = server as unknown as StreamTaker;
  const take = taker._channelzHandler;
  if (take === undefined) throw new Error("this version of grpc-js takes its streams otherwise");
  taker._channelzHandler = (interceptors, stream, headers) => {
    // One that is destroyed emits its error all the same.
    if (stream.destroyed || stream.closed) {
      stream.on("error", () => {});
      return;
    }
    try {
      take.call(server, interceptors, stream, headers);
    } catch (error) {
      log.debug({ err: error }, "a call could not be answered");
      stream.destroy();
    }
  };
}
