import type { Logger } from "pino";
import type { TokenSettings } from "../auth/token.js";
import type { Store } from "../hub/store.js";
import { DEFAULT_LIMITS, type HubLimits, MAX_UINT32 } from "../protocol/limits.js";
import type { AuthMode } from "./auth-settings.js";
import { isLoopback, ListenError } from "./listen-address.js";
import type { TlsFiles } from "./tls-files.js";

/** How a hub is set up; what is left out has the default named with it. */
export interface HubOptions extends Partial<HubLimits> {
  /** Where it keeps everything. The caller opens it, and closes it after `stop`. */
  store: Store;
  /** `host:port`; port 0 takes a free one. Default 127.0.0.1:8765. */
  listen?: string;
  /** Allows an address that other machines can reach without credentials and TLS (I2). Default false. */
  insecure?: boolean;
  /**
   * TLS. When the files change, new connections get the new certificate and those there are go
   * on. A clientCaFile makes client certificates credentials. Default plain text.
   */
  tls?: TlsFiles;
  /**
   * `required`: every call of ChatHub needs credentials. `open`: whoever calls can be anyone. Default
   * required where the store has ever had a key, or tokens or tls.clientCaFile are given (I2).
   */
  auth?: AuthMode | undefined;
  /** Takes JSON web tokens. Default none. */
  tokens?: TokenSettings;
  /** Gets what operators want to know, never contents or credentials. Default silent. */
  log?: Logger;
  /** Allows chats without a service. Default true. */
  directChats?: boolean;
  /** Largest request, in encoded bytes: 1 KiB to 1.75 MiB. Default 1 MiB (M7). */
  maxMessageBytes?: number;
  /** Deliveries of one channel a manual session may leave unacked. Default 256 (D5). */
  maxUnackedPerChannel?: number;
  /** The same in all. Default 1024 (D5). */
  maxUnacked?: number;
  /** How often clients that send heartbeats should, in milliseconds. Default 10,000 (L3). */
  heartbeatIntervalMs?: number;
}

/**
 * The limits of a hub, with the defaults where the options say nothing.
 * @throws RangeError when one is out of range
 */
export function limitsOf(options: Partial<HubLimits>, maxMessageBytes: number): HubLimits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as (keyof HubLimits)[]) {
    limits[name] = checkLimit(name, options[name] ?? limits[name]);
  }
  if (limits.maxMetadataEntries < 1 || limits.maxMetadataBytes < 1) {
    throw new RangeError("maxMetadataEntries and maxMetadataBytes are at least 1");
  }
  if (limits.maxBytesPerSecond > 0 && limits.maxBytesPerSecond < maxMessageBytes) {
    // Otherwise one message would hold its session up until its client takes the hub for gone (L3).
    throw new RangeError(
      `maxBytesPerSecond is ${limits.maxBytesPerSecond}; use at least maxMessageBytes, ` +
        `${maxMessageBytes}, or 0 for no limit`,
    );
  }
  return limits;
}

/**
 * A limit that clients are told in their greeting.
 * @param least default 0
 * @param most default the largest number that a greeting can tell
 * @throws RangeError where it is none of these
 */
export function checkLimit(name: string, value: number, least = 0, most = MAX_UINT32): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} is ${value}; use a whole number from ${least} to ${most}`);
}

/**
 * Agents of others are to be reached safely or not at all, unless the operator says otherwise.
 * @throws ListenError when the address may not be listened on (I2)
 */
export function checkListen(
  { host, port }: { host: string; port: number },
  { insecure, tls }: HubOptions,
  hasCredentials: boolean,
): void {
  const lacks = [
    ...(hasCredentials ? [] : ["credentials, so that anybody could speak for any agent"]),
    ...(tls !== undefined ? [] : ["TLS, so that anybody on the way could read along"]),
  ];
  if (insecure || isLoopback(host) || lacks.length === 0) return;
  throw new ListenError(
    `${host}:${port} can be reached from other machines, and this hub has no ${lacks.join("; nor ")}. ` +
      "Give it both, listen on 127.0.0.1, or say so in so many words: --insecure",
  );
}
