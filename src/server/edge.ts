import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Connections } from "./connections.js";
import { holdSession } from "./held-sessions.js";
import { listenOn } from "./listener.js";
import { awaitPreface } from "./preface.js";
import { readTlsFiles, type TlsContents, type TlsFiles, watchTlsFiles } from "./tls-files.js";

const GREETING_MS = 10_000;
const HTTP2 = "h2";

/** The way in, from the network to the gRPC server. */
export interface Edge {
  readonly port: number;
  /**
   * Lets nobody in any more.
   * @returns resolves when the connections that the gRPC server was given are gone
   */
  close(): Promise<void>;
  /** Cuts every connection that there still is. */
  cutAll(): void;
}

/**
 * Listens, and hands those connections to the gRPC server that are within the limits and begin
 * to speak HTTP/2. The server itself listens nowhere.
 * @throws ListenError when the address cannot be listened on, or the TLS files are of no use
 */
export async function openEdge(of: {
  server: Server;
  address: { host: string; port: number };
  tls: TlsFiles | undefined;
  connections: Connections;
  log: Logger;
  /** How long a connection has for its TLS handshake, and again for the HTTP/2 preface. Default 10 s. */
  greetingMs?: number;
}): Promise<Edge> {
  const { connections, log, greetingMs = GREETING_MS } = of;
  const note = (error: Error) => log.debug({ err: error }, "connection ended with an error");
  const given = new Set<Socket>();
  let closing = false;
  let emptied = () => {};
  const injector = of.server.createConnectionInjector(ServerCredentials.createInsecure());
  function give(socket: Socket): void {
    given.add(socket);
    socket.on("close", () => {
      given.delete(socket);
      if (given.size === 0) emptied();
    });
    holdSession(socket, () => injector.injectConnection(socket));
  }
  function greet(socket: Socket): void {
    const patience = setTimeout(() => socket.destroy(), greetingMs).unref();
    const stop = () => clearTimeout(patience);
    socket.on("close", stop);
    awaitPreface(socket, {
      complete() {
        stop();
        // Connections are many and last for long: the timer is not kept with each.
        socket.off("close", stop);
        if (closing) socket.destroy();
        else give(socket);
      },
      wrong: () => socket.destroy(),
    });
  }

  let secured: { server: TlsServer; stop: () => void } | undefined;
  if (of.tls !== undefined) secured = await secure(of.tls, greetingMs, log);
  secured?.server.on("secureConnection", (socket) => {
    socket.on("error", note);
    if (socket.alpnProtocol === HTTP2) greet(socket);
    else socket.destroy();
  });
  try {
    const listener = await listenOn(of.address, (socket) => {
      socket.on("error", note);
      if (!connections.admit(socket)) socket.destroy();
      else if (secured === undefined) greet(socket);
      else secured.server.emit("connection", socket);
    });
    return {
      port: listener.port,
      close() {
        closing = true;
        secured?.stop();
        listener.close();
        return new Promise((resolve) => {
          emptied = resolve;
          if (given.size === 0) resolve();
        });
      },
      cutAll: connections.cutAll,
    };
  } catch (error) {
    secured?.stop();
    throw error;
  }
}

/** A TLS server for connections that are handed to it; its certificates follow the files. */
async function secure(
  files: TlsFiles,
  handshakeTimeout: number,
  log: Logger,
): Promise<{ server: TlsServer; stop: () => void }> {
  const contextOf = (contents: TlsContents) => ({
    ...contents,
    // A session that is resumed is not verified again: with whom it began counts, even where the
    // client's certificate or its authority is no longer believed. Agents keep their connections,
    // so a whole handshake for each costs little.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  const current = await readTlsFiles(files);
  const server = createTlsServer({
    ...contextOf(current),
    ALPNProtocols: [HTTP2],
    handshakeTimeout,
    // A client without a certificate, or with one of a stranger's, may have another credential.
    requestCert: files.clientCaFile !== undefined,
    rejectUnauthorized: false,
  });
  server.on("tlsClientError", (error) => log.debug({ err: error }, "TLS handshake failed"));
  const stop = watchTlsFiles(files, {
    current,
    changed: (contents) => server.setSecureContext(contextOf(contents)),
    log,
  });
  return { server, stop };
}
