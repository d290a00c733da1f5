import { isIPv4 } from "node:net";

/** The address cannot be listened on; the message says what would be right. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Splits `host:port` or `[host]:port`.
 * @throws ListenError when it is neither
 */
export function parseListenAddress(address: string): { host: string; port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) {
    throw new ListenError(
      `cannot listen on ${JSON.stringify(address)}; use host:port, such as 127.0.0.1:8765`,
    );
  }
  return { host, port };
}

/** Whether only this machine can reach an address (I2). */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
