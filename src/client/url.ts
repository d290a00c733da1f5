import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { argumentError } from "./errors.js";

/** Where the hub listens where nobody says otherwise. */
export const DEFAULT_HUB_URL = "grpc://localhost:8765";
const DEFAULT_PORT = 8765;

/** Where a hub is. */
export interface HubAddress {
  /** As grpc-js takes it, such as `localhost:8765` or `[::1]:8765`. */
  target: string;
  /** TLS. */
  secure: boolean;
  /** On this machine, so never behind an HTTP proxy. */
  loopback: boolean;
}

/** Schemes people bring along from elsewhere, and what they mean here. */
const WRONG_SCHEMES: Record<string, string> = {
  ws: "grpc",
  http: "grpc",
  tcp: "grpc",
  wss: "grpcs",
  https: "grpcs",
};

/**
 * Reads `grpc://host:port`, `grpcs://host:port` or `host:port`; the port is 8765 where left out.
 * @throws ChatHubError BAD_URL that names the right form
 */
export function parseHubUrl(hubUrl: string): HubAddress {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(hubUrl.trim());
  const scheme = (match?.[1] ?? "grpc").toLowerCase();
  const rest = (match?.[2] ?? "").replace(/\/$/, "");
  if (scheme !== "grpc" && scheme !== "grpcs") {
    const right = WRONG_SCHEMES[scheme] ?? "grpc";
    throw badUrl(
      `the hub speaks gRPC, not ${scheme}: use ${right}://${rest || "localhost:8765"} instead of ${scheme}://…`,
    );
  }
  const address = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(rest);
  const host = address?.[1];
  const port = address?.[2] === undefined ? DEFAULT_PORT : Number(address[2]);
  if (host === undefined || port < 1 || port > 65535) {
    throw badUrl(
      `the hub's address must be host:port, grpc://host:port or grpcs://host:port, such as ${DEFAULT_HUB_URL}`,
    );
  }
  return {
    target: `${host}:${port}`,
    secure: scheme === "grpcs",
    loopback: host === "localhost" || host === "[::1]" || /^127\./.test(host),
  };
}

/** PEM files of a TLS connection. */
export interface Certificates {
  /** A private certificate authority; the well-known ones where left out. */
  rootCerts?: Buffer | undefined;
  /** The client's own certificate and its key; both or neither. */
  clientCert?: Buffer | undefined;
  clientKey?: Buffer | undefined;
}

/** Channel credentials for an address. @throws Error where the certificates are none */
export function credentialsFor(
  address: HubAddress,
  { rootCerts, clientKey, clientCert }: Certificates = {},
): ChannelCredentials {
  if (!address.secure) return credentials.createInsecure();
  return credentials.createSsl(rootCerts ?? null, clientKey ?? null, clientCert ?? null);
}

function badUrl(message: string) {
  return argumentError("BAD_URL", message);
}
