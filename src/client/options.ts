import { ID_RULE, isValidId } from "../protocol/ids.js";
import type { ConnectRequest, ConnectResponse } from "../protocol/wire.js";
import { type ApiKeySource, isApiKey } from "./api-key.js";
import { argumentError } from "./errors.js";
import type { HandlerFailure, PeerProgress } from "./incoming.js";
import { type Certificates, DEFAULT_HUB_URL, type HubAddress, parseHubUrl } from "./url.js";

/** One frame as it travelled, for debugging and transcripts. */
export type TracedFrame =
  | { direction: "sent"; request: ConnectRequest; response?: undefined }
  | { direction: "received"; response: ConnectResponse; request?: undefined };

/** How a client reaches its hub and works through what it receives. */
export interface ChatClientOptions {
  /** `grpc://host:port`, `grpcs://host:port` or `host:port`. Default `grpc://localhost:8765`. */
  hubUrl?: string;
  /** Who is speaking (I1, I3). */
  agentId: string;
  /**
   * Sent as `authorization: Bearer …`: an API key, or a token. A function is asked before each
   * session and each call beside it, so that it can give a fresh one; while it throws, the client
   * tries again as if the hub were not there.
   */
  apiKey?: ApiKeySource;
  /** PEM of a private certificate authority, for `grpcs://`. */
  rootCerts?: Buffer;
  /** PEM of a client certificate, for `grpcs://` hubs that take them. */
  clientCert?: Buffer;
  /** PEM of its private key. */
  clientKey?: Buffer;
  /**
   * "manual" (the default): this is the agent's receiving session, and it supersedes an
   * older one (I4). "none": only sends, and leaves the agent's running session alone.
   */
  receive?: "manual" | "none";
  /** For each call, in milliseconds. Default 30,000. */
  timeoutMs?: number;
  /** How many channels have a handler running at once. Default 16. */
  maxConcurrentChannels?: number;
  /**
   * Entries waiting for a handler, at most. Default 1024: as many as a hub sends by default
   * before it waits for acks (D5), so that each travels once. With a smaller bound than the
   * hub's, what comes on top is left to its log, and fetched by opening the session anew, which
   * sends again what is unacked.
   */
  maxBufferedEntries?: number;
  /**
   * The words, data and metadata of the entries that wait, in bytes; the last one may reach
   * beyond it. Default 16 MiB, twice what a hub sends by default before it waits for acks.
   */
  maxBufferedBytes?: number;
  /** Told when a handler keeps throwing; a process warning is given where it is left out. */
  onFailed?: (failure: HandlerFailure) => void;
  /**
   * Told how far the peer has got in a channel: only while this client has a receiving session,
   * and of several steps in a short time only the last.
   */
  onProgress?: (progress: PeerProgress) => void;
  /** Told of every frame as it travels, both ways. */
  onFrame?: (frame: TracedFrame) => void;
}

/** The options with their defaults, checked. */
export interface Settings extends Certificates {
  address: HubAddress;
  agentId: string;
  apiKey: ApiKeySource | undefined;
  receive: "manual" | "none";
  timeoutMs: number;
  maxConcurrentChannels: number;
  maxBufferedEntries: number;
  maxBufferedBytes: number;
}

/** Fills in the defaults. @throws ChatHubError BAD_URL, INVALID_ID or BAD_OPTION */
export function settingsOf(options: ChatClientOptions): Settings {
  const { agentId, apiKey, receive = "manual", timeoutMs = 30_000 } = options;
  if (!isValidId(agentId)) throw argumentError("INVALID_ID", `agentId must be ${ID_RULE}`);
  if (apiKey !== undefined && typeof apiKey !== "function" && !isApiKey(apiKey)) {
    throw argumentError("BAD_OPTION", "apiKey must be printable ASCII without spaces");
  }
  if (receive !== "manual" && receive !== "none") {
    throw argumentError("BAD_OPTION", 'receive must be "manual" or "none"');
  }
  if (!(timeoutMs > 0)) throw argumentError("BAD_OPTION", "timeoutMs must be greater than 0");
  const address = parseHubUrl(options.hubUrl ?? DEFAULT_HUB_URL);
  const { rootCerts, clientCert, clientKey } = options;
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw argumentError("BAD_OPTION", "clientCert and clientKey belong together: give both");
  }
  if (clientCert !== undefined && !address.secure) {
    throw argumentError("BAD_OPTION", "a client certificate is only shown to grpcs:// hubs");
  }
  return {
    address,
    agentId,
    apiKey,
    ...{ rootCerts, clientCert, clientKey },
    receive,
    timeoutMs,
    maxConcurrentChannels: count("maxConcurrentChannels", options.maxConcurrentChannels ?? 16),
    maxBufferedEntries: count("maxBufferedEntries", options.maxBufferedEntries ?? 1024),
    maxBufferedBytes: count("maxBufferedBytes", options.maxBufferedBytes ?? 16 * 1024 * 1024),
  };
}

function count(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw argumentError("BAD_OPTION", `${name} must be a whole number greater than 0`);
}
