import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a hub, to cut connections at a moment of the test's choice. */
export interface TestProxy {
  /** `grpc://127.0.0.1:port` of the proxy. */
  readonly url: string;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** From now on nothing that the hub says gets through; what clients say still does. */
  muteHub(): void;
  /** Nothing gets through on the connections there are, and nobody is told; new ones work. */
  strand(): void;
  /** Resets every connection; new ones get through in both directions again. */
  cut(): void;
  /** New connections go to this hub instead. */
  lead(address: string): void;
  stop(): Promise<void>;
}

/** Starts a proxy to `host:port`. */
export async function startTestProxy(address: string): Promise<TestProxy> {
  let port = portOf(address);
  const pairs = new Set<[Socket, Socket]>();
  const stranded = new WeakSet<[Socket, Socket]>();
  let accepted = 0;
  let muted = false;

  const server = createServer((client) => {
    accepted += 1;
    const hub = connect(port, "127.0.0.1");
    const pair: [Socket, Socket] = [client, hub];
    pairs.add(pair);
    for (const [from, to] of [pair, [hub, client] as const]) {
      from.on("data", (bytes) => {
        if (stranded.has(pair)) return;
        if (from === client || !muted) to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the proxy has no port");

  function cut(): void {
    muted = false;
    for (const [client, hub] of pairs) {
      client.resetAndDestroy();
      hub.resetAndDestroy();
    }
  }
  return {
    url: `grpc://127.0.0.1:${bound.port}`,
    get accepted() {
      return accepted;
    },
    muteHub() {
      muted = true;
    },
    strand() {
      for (const pair of pairs) stranded.add(pair);
    },
    cut,
    lead(newAddress) {
      port = portOf(newAddress);
    },
    async stop() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
