import type { Socket } from "node:net";
import type { Logger } from "pino";
import { addressKey } from "../protocol/address-key.js";

/** Beyond the limits, so many connections at once are let in to be told so, for so long. */
const MAX_OVER = 64;
const OVER_MS = 5_000;

/** How many connections a hub takes; 0 means any number. */
export interface ConnectionLimits {
  /** Of one IPv4 address or one IPv6 network of 64 bits. */
  perAddress: number;
  total: number;
}

/** Counts connections, and knows those that are only let in to be told that they are too many. */
export interface Connections {
  /**
   * Counts a connection until it closes. Where it is one too many it is either let in for 5 s, and
   * all of its calls are to be refused, or there are 64 such already and it is not let in.
   * @returns whether it is let in
   */
  admit(socket: Socket): boolean;
  /** Whether the calls of a connection are to be refused. @param peer as `call.getPeer()` has it */
  isOver(peer: string): boolean;
  /** Cuts every connection there is. */
  cutAll(): void;
}

export function createConnections(limits: ConnectionLimits, log: Logger): Connections {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const over = new Set<string>();
  const tell = sayOnceInAWhile((turnedAway) =>
    log.warn({ turnedAway, connections: sockets.size, ...limits }, "too many connections"),
  );

  function isOneTooMany(key: string): boolean {
    const { perAddress, total } = limits;
    const inAll = sockets.size - over.size;
    return (
      (total > 0 && inAll >= total) || (perAddress > 0 && (counts.get(key) ?? 0) >= perAddress)
    );
  }

  return {
    admit(socket) {
      const { remoteAddress, remotePort } = socket;
      // It is gone already.
      if (remoteAddress === undefined) return false;
      const key = addressKey(remoteAddress);
      if (!isOneTooMany(key)) {
        counts.set(key, (counts.get(key) ?? 0) + 1);
        sockets.add(socket);
        socket.on("close", () => {
          sockets.delete(socket);
          const left = (counts.get(key) ?? 1) - 1;
          if (left === 0) counts.delete(key);
          else counts.set(key, left);
        });
        return true;
      }
      tell();
      if (over.size >= MAX_OVER) return false;
      const peer = `${remoteAddress}:${remotePort}`;
      over.add(peer);
      sockets.add(socket);
      const timer = setTimeout(() => socket.destroy(), OVER_MS).unref();
      socket.on("close", () => {
        clearTimeout(timer);
        over.delete(peer);
        sockets.delete(socket);
      });
      return true;
    },
    isOver: (peer) => over.has(peer),
    cutAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const SAY_EVERY_MS = 10_000;

/** Who floods the hub with connections does not flood its log as well. */
function sayOnceInAWhile(say: (times: number) => void): () => void {
  let times = 0;
  let saidAtMs = -Infinity;
  return () => {
    times += 1;
    const nowMs = performance.now();
    if (nowMs - saidAtMs < SAY_EVERY_MS) return;
    saidAtMs = nowMs;
    say(times);
    times = 0;
  };
}
