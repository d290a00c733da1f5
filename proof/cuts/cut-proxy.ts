import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Whose bytes are counted, and how a connection ends: by RST, or by FIN. */
export interface CutPlace {
  direction: Direction;
  /** So many bytes of that direction pass, over all connections, and not one more. */
  offset: number;
  how: "reset" | "close";
}

/** As the client sees it: what it sent to the hub, and what it received from it. */
export type Direction = "sent" | "received";

/** A TCP proxy in front of a hub that cuts one connection once. */
export interface CutProxy {
  /** `127.0.0.1:port` of the proxy. */
  readonly address: string;
  /** Bytes that passed so far. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** The cut was made. */
  readonly made: boolean;
  stop(): Promise<void>;
}

/**
 * Forwards connections to the hub at `127.0.0.1:port`. When exactly so many bytes as `cut` says
 * have passed, that connection is cut on both sides; every later one passes whole.
 */
export async function startCutProxy(hubAddress: string, cut?: CutPlace): Promise<CutProxy> {
  const hubPort = Number(hubAddress.slice(hubAddress.lastIndexOf(":") + 1));
  const passed = { sent: 0, received: 0 };
  const sockets = new Set<Socket>();
  let made = false;

  function end(client: Socket, hub: Socket): void {
    made = true;
    for (const socket of [client, hub]) {
      if (cut?.how === "close") socket.destroySoon();
      else socket.resetAndDestroy();
    }
  }

  const server = createServer({ noDelay: true }, (client) => {
    const hub = connect({ port: hubPort, host: "127.0.0.1", noDelay: true });
    let ending = false;
    const ways = [
      ["sent", client, hub],
      ["received", hub, client],
    ] as const;
    for (const [direction, from, to] of ways) {
      sockets.add(from);
      from.on("data", (bytes: Buffer) => {
        if (ending) return;
        const left =
          made || cut?.direction !== direction ? Infinity : cut.offset - passed[direction];
        const passes = bytes.subarray(0, Math.min(left, bytes.length));
        passed[direction] += passes.length;
        ending = passes.length === left;
        // Not before the kernel has them: a reset drops what still waits in the process.
        if (ending) to.write(passes, () => end(client, hub));
        else if (!to.write(passes)) from.pause();
      });
      to.on("drain", () => from.resume());
      from.on("error", () => {});
      from.on("end", () => to.end());
      from.on("close", () => {
        sockets.delete(from);
        to.destroySoon();
      });
    }
    if (cut?.offset === 0 && !made) {
      ending = true;
      end(client, hub);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the proxy has no port");

  return {
    address: `127.0.0.1:${bound.port}`,
    passed,
    get made() {
      return made;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
