import { randomUUID } from "node:crypto";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type Logger, pino } from "pino";
import type { TokenSettings } from "../auth/token.js";
import type { Environment } from "../hub/context.js";
import type { Store } from "../hub/store.js";
import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_LIMITS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_MAX_UNACKED,
  DEFAULT_MAX_UNACKED_PER_CHANNEL,
  type HubLimits,
  MAX_TRANSPORT_BYTES,
  MAX_UNACKED_BYTES,
} from "../protocol/limits.js";
import { createAuditNotes } from "./audit-notes.js";
import { type AuthMode, AuthSettingsError, openAuth } from "./auth-settings.js";
import { unaryHandlers } from "./calls.js";
import { connect, type Sessions } from "./connect.js";
import { drain } from "./drain.js";
import { createExpiry } from "./expiry.js";
import { addHealth, stopServing } from "./health.js";
import { isLoopback, ListenError, parseListenAddress } from "./listen-address.js";
import type { IncomingCall } from "./logins.js";
import { createRates } from "./rate.js";
import { createReceivers } from "./receivers.js";
import { addReflection } from "./reflection.js";
import { type HubHandlers, hubService } from "./service-definition.js";
import type { Session } from "./session.js";
import { createSessionPlaces } from "./session-places.js";
import { createTurns } from "./turns.js";

export { AuthSettingsError, ListenError };

/** How a hub is set up; what is left out has the default named with it. */
export interface HubOptions extends Partial<HubLimits> {
  /** Where it keeps everything. The caller opens it, and closes it after `stop`. */
  store: Store;
  /** `host:port`; port 0 takes a free one. Default 127.0.0.1:8765. */
  listen?: string;
  /** Allows an address that other machines can reach without credentials and TLS (I2). Default false. */
  insecure?: boolean;
  /** TLS. Default plain text. */
  serverCredentials?: ServerCredentials;
  /**
   * `required`: every call of ChatHub needs credentials. `open`: whoever calls can be anyone. Default
   * required where the store has ever had a key, or tokens or certificateNames are given (I2).
   */
  auth?: AuthMode | undefined;
  /** Takes JSON web tokens. Default none. */
  tokens?: TokenSettings;
  /** URI and DNS names of the verified client certificate of a call. Default: there are none. */
  certificateNames?: (call: IncomingCall) => readonly string[];
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

/** A running hub. */
export interface Hub {
  /** Where it listens, as `host:port` with the real port. */
  readonly address: string;
  /** Whether it asks for credentials. */
  readonly auth: AuthMode;
  /**
   * Resolves when the store can promise nothing any more. The hub reports NOT_SERVING then and
   * refuses everything with STORAGE_UNAVAILABLE; the caller stops it and ends the process.
   */
  readonly failed: Promise<Error>;
  /**
   * Tells every session to go away, answers what was read, and closes the
   * server, within 8 s; then nothing uses the store any more (L2).
   */
  stop(): Promise<void>;
}

const DEFAULT_LISTEN = "127.0.0.1:8765";
const MIN_MESSAGE_BYTES = 1024;
/** So that a delivered or paged message with the hub's fields stays below 2 MiB (M7). */
const MAX_MESSAGE_BYTES = 1.75 * 1024 * 1024;

/**
 * Starts a hub and resolves when it serves.
 * @throws ListenError when it cannot, or may not, listen on the address
 * @throws AuthSettingsError when its credentials mean something else than they say
 * @throws RangeError when maxMessageBytes or a limit is out of range
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { store, listen = DEFAULT_LISTEN } = options;
  const log = options.log ?? pino({ level: "silent" });
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  const { host } = parseListenAddress(listen);
  if (!(maxMessageBytes >= MIN_MESSAGE_BYTES && maxMessageBytes <= MAX_MESSAGE_BYTES)) {
    throw new RangeError(
      `maxMessageBytes is ${maxMessageBytes}; use ${MIN_MESSAGE_BYTES} to ${MAX_MESSAGE_BYTES}`,
    );
  }

  const limits = limitsOf(options, maxMessageBytes);
  const auth = await openAuth({ ...options, store, log, limits });
  checkListen(listen, host, options, auth.isRequired);
  const receivers = createReceivers();
  const env: Environment = {
    nowMs: () => Date.now(),
    newId: (prefix) => `${prefix}_${randomUUID()}`,
    isOnline: receivers.isOnline,
    directChats: options.directChats ?? true,
    agentsMustBeKnown: auth.isRequired,
    maxPendingRequests: limits.maxPendingRequests,
    maxChannels: limits.maxChannels,
  };
  const open = new Set<Session>();
  const withReceipts = new Set<Session>();
  const turns = createTurns({
    store,
    env,
    log,
    deliver(written) {
      expiry.noticed(written);
      receivers.deliver(written);
    },
    progressed: receivers.progressed,
    denied: (event) => audit.note(event),
    settled() {
      for (const session of withReceipts) session.settle();
      withReceipts.clear();
    },
  });
  const expiry = createExpiry({ turns, nowMs: env.nowMs, log });
  const audit = createAuditNotes({ turns, nowMs: env.nowMs, log });
  const logins = auth.logins({ turns, audit, isStopping: () => sessions.stopping });
  const sessions: Sessions = {
    turns,
    receivers,
    rates: createRates({ ...limits, nowMs: () => performance.now() }),
    places: createSessionPlaces(limits.maxSessions),
    logins,
    log,
    storeEpoch: store.epoch,
    maxMessageBytes,
    window: {
      perChannel: options.maxUnackedPerChannel ?? DEFAULT_MAX_UNACKED_PER_CHANNEL,
      total: options.maxUnacked ?? DEFAULT_MAX_UNACKED,
      bytes: MAX_UNACKED_BYTES,
    },
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
    limits,
    open,
    withReceipts,
    stopping: false,
    emptied: () => {},
  };

  const server = new Server({
    "grpc.max_receive_message_length": MAX_TRANSPORT_BYTES,
    "grpc.max_send_message_length": MAX_TRANSPORT_BYTES,
    // A peer that went away without a word is noticed within 25 s (L3).
    "grpc.keepalive_time_ms": 15_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  const handlers: HubHandlers = {
    connect: (stream) => connect(sessions, stream),
    ...unaryHandlers(sessions),
  };
  server.addService(hubService(maxMessageBytes), { ...handlers });
  const health = addHealth(server);
  addReflection(server);

  await expiry.restore(store);
  const credentials = options.serverCredentials ?? ServerCredentials.createInsecure();
  const port = await bind(server, listen, credentials).catch(async (error: unknown) => {
    expiry.stop();
    logins.stop();
    await audit.close();
    throw error;
  });
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  log.info({ address }, "hub serves");
  const failed = store.failed.then((error) => {
    log.fatal({ err: error }, "the store has failed: nothing is stored or delivered any more");
    stopServing(health);
    return error;
  });

  let stopped: Promise<void> | undefined;
  return {
    address,
    auth: auth.isRequired ? "required" : "open",
    failed,
    stop() {
      logins.stop();
      stopped ??= drain({ server, health, sessions, expiry, log }).then(audit.close);
      return stopped;
    },
  };
}

function limitsOf(options: Partial<HubLimits>, maxMessageBytes: number): HubLimits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(limits) as (keyof HubLimits)[]) {
    limits[name] = options[name] ?? limits[name];
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

/** @throws ListenError when the address may not be listened on (I2) */
function checkListen(
  listen: string,
  host: string,
  { insecure, serverCredentials }: HubOptions,
  hasCredentials: boolean,
): void {
  const lacks = [
    ...(hasCredentials ? [] : ["credentials, so that anybody could speak for any agent"]),
    ...(serverCredentials !== undefined
      ? []
      : ["TLS, so that anybody on the way could read along"]),
  ];
  if (insecure || isLoopback(host) || lacks.length === 0) return;
  throw new ListenError(
    `${listen} can be reached from other machines, and this hub has no ${lacks.join("; nor ")}. ` +
      "Give it both, listen on 127.0.0.1, or say so in so many words: --insecure",
  );
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) resolve(port);
      else
        reject(new ListenError(`cannot listen on ${listen}: ${error.message}`, { cause: error }));
    });
  });
}
