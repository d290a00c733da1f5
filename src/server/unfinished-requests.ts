import { constants, type ServerHttp2Stream } from "node:http2";
import { MessageMeter } from "./message-meter.js";

/** What every piece of a request costs beside its bytes: the objects that hold it. */
const PIECE_BYTES = 256;
/** Beyond twice its bytes, a request may cost this much: it came in small pieces. */
const SMALL_CHANGE_BYTES = 16 * 1024;

/** Counts what has come of requests that are not complete. */
export interface UnfinishedRequests {
  /**
   * Counts what a call brings. It is reset with ENHANCE_YOUR_CALM, which its client is told as
   * RESOURCE_EXHAUSTED, where one of its requests is larger than that, or comes in very many pieces.
   */
  watch(stream: ServerHttp2Stream, maxRequestBytes: number): void;
}

/**
 * grpc-js keeps every piece of a request until the last one is there. Where all the pieces of all
 * these calls together cost more than `maxBytes`, the request that has been on its way for the
 * longest ends its call in the same way: honest ones are there at once, whoever else is not.
 */
export function boundUnfinished(maxBytes: number): UnfinishedRequests {
  /** Those that have begun to come, the oldest first. */
  const costs = new Map<ServerHttp2Stream, number>();
  let total = 0;

  function forget(stream: ServerHttp2Stream): void {
    total -= costs.get(stream) ?? 0;
    costs.delete(stream);
  }

  /** One listener for all of them. */
  function forgetThis(this: ServerHttp2Stream): void {
    forget(this);
  }

  function end(stream: ServerHttp2Stream): void {
    forget(stream);
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  return {
    watch(stream, maxRequestBytes) {
      const meter = new MessageMeter();
      const mostOfOne = 2 * maxRequestBytes + SMALL_CHANGE_BYTES;
      stream.on("data", (piece: Uint8Array) => {
        // What comes once a call was answered is not kept.
        if (stream.closed || stream.writableEnded) return;
        const { completed, unfinishedBytes, longestBytes } = meter.take(piece);
        if (completed) forget(stream);
        if (longestBytes > maxRequestBytes) return end(stream);
        if (unfinishedBytes === 0) return;
        const cost = unfinishedBytes + PIECE_BYTES;
        costs.set(stream, (costs.get(stream) ?? 0) + cost);
        total += cost;
        if ((costs.get(stream) ?? 0) > mostOfOne) end(stream);
        for (const oldest of costs.keys()) {
          if (total <= maxBytes) break;
          end(oldest);
        }
      });
      stream.on("close", forgetThis);
    },
  };
}
