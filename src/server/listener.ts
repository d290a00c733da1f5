import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { ListenError } from "./listen-address.js";

/** Where a hub hears of new connections. */
export interface Listener {
  readonly port: number;
  /** Takes no further connection; those there are go on. */
  close(): void;
}

/** With port 0, a free port of one address may be taken on another. */
const TRIES_FOR_A_FREE_PORT = 20;

/**
 * Listens on every address of a host: `localhost` is usually 127.0.0.1 and ::1, and who tries
 * the other one must not meet another program. An address that this machine does not have (no
 * IPv6) is passed over where there is another.
 * @param port 0 takes a free one, the same for all
 * @throws ListenError
 */
export async function listenOn(
  { host, port }: { host: string; port: number },
  accept: (socket: Socket) => void,
): Promise<Listener> {
  try {
    const found = await lookup(host, { all: true });
    const addresses = [...new Set(found.map(({ address }) => address))];
    for (let tries = 1; ; tries += 1) {
      try {
        return await listenOnAll(addresses, port, accept);
      } catch (error) {
        const isChance = port === 0 && codeOf(error) === "EADDRINUSE";
        if (!isChance || tries === TRIES_FOR_A_FREE_PORT) throw error;
      }
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ListenError(`cannot listen on ${host}:${port}: ${message}`, { cause });
  }
}

async function listenOnAll(
  addresses: string[],
  port: number,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  const servers: Server[] = [];
  let boundPort = port;
  let missing: unknown = new Error("it has no address");
  const close = () => {
    for (const server of servers) server.close();
  };
  for (const address of addresses) {
    const server = createServer({ noDelay: true }, accept);
    try {
      server.listen({ host: address, port: boundPort });
      await once(server, "listening");
    } catch (error) {
      if (!isNotHere(error)) {
        close();
        throw error;
      }
      missing = error;
      continue;
    }
    // Such as too many open files: the others are served on.
    server.on("error", () => {});
    servers.push(server);
    const bound = server.address();
    if (typeof bound === "object" && bound !== null) boundPort = bound.port;
  }
  if (servers.length === 0) throw missing;
  return { port: boundPort, close };
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** This machine has no such address, or none of its kind. */
function isNotHere(error: unknown): boolean {
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(codeOf(error) ?? "");
}
