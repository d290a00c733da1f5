import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import { pino } from "pino";
import { uuidv7 } from "uuidv7";
import type { Environment } from "../hub/context.js";
import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_MAX_UNACKED,
  DEFAULT_MAX_UNACKED_PER_CHANNEL,
  MAX_CALLS_OF_A_CONNECTION,
  MAX_TRANSPORT_BYTES,
  MAX_UNACKED_BYTES,
} from "../protocol/limits.js";
import { createAuditNotes } from "./audit-notes.js";
import { type AuthMode, AuthSettingsError, openAuth } from "./auth-settings.js";
import { unaryHandlers } from "./calls.js";
import { certificateExpiresAtMs, certificateNames } from "./certificate-names.js";
import { connect } from "./connect.js";
import { takeConnectCalls } from "./connect-stream.js";
import { createConnections } from "./connections.js";
import { drain } from "./drain.js";
import { openEdge } from "./edge.js";
import { createExpiry } from "./expiry.js";
import { guardStreams } from "./guarded-streams.js";
import { addHealth, stopServing } from "./health.js";
import { checkLimit, checkListen, type HubOptions, limitsOf } from "./hub-options.js";
import { ListenError, parseListenAddress } from "./listen-address.js";
import { loginFirst } from "./login-first.js";
import { createRates } from "./rate.js";
import { createReceivers } from "./receivers.js";
import { addReflection } from "./reflection.js";
import { boundRequests } from "./request-bounds.js";
import { REQUEST_MS, requestInTime } from "./request-in-time.js";
import { type HubHandlers, hubService } from "./service-definition.js";
import type { Session } from "./session.js";
import { createSessionPlaces } from "./session-places.js";
import type { Sessions } from "./sessions.js";
import { refuseOver } from "./too-many-connections.js";
import { createTurns } from "./turns.js";
import { refuseCompressed } from "./uncompressed-only.js";

export type { HubOptions };
export { AuthSettingsError, ListenError };

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
/** A connection without any call is closed after so long; its client opens another when it has one. */
const MAX_IDLE_MS = 5 * 60_000;
/** So that a delivered or paged message with the hub's fields stays below 2 MiB (M7). */
const MAX_MESSAGE_BYTES = 1.75 * 1024 * 1024;

/**
 * Starts a hub and resolves when it serves.
 * @throws ListenError when it cannot, or may not, listen on the address, or the TLS files are of no use
 * @throws AuthSettingsError when its credentials mean something else than they say
 * @throws RangeError when maxMessageBytes or a limit is out of range
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { store, listen = DEFAULT_LISTEN } = options;
  const log = options.log ?? pino({ level: "silent" });
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  const listenAddress = parseListenAddress(listen);
  checkLimit("maxMessageBytes", maxMessageBytes, MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES);

  // grpc-js writes to stderr what it cannot read of a call, credentials among it.
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  const limits = limitsOf(options, maxMessageBytes);
  const auth = await openAuth({
    ...{ store, log, limits, auth: options.auth, tokens: options.tokens },
    certificates:
      options.tls?.clientCaFile === undefined
        ? undefined
        : { namesOf: certificateNames, expiresAtMsOf: certificateExpiresAtMs },
  });
  checkListen(listenAddress, options, auth.isRequired);
  const receivers = createReceivers();
  const env: Environment = {
    nowMs: () => Date.now(),
    newId: (prefix) => `${prefix}_${uuidv7()}`,
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
      perChannel: checkLimit(
        "maxUnackedPerChannel",
        options.maxUnackedPerChannel ?? DEFAULT_MAX_UNACKED_PER_CHANNEL,
      ),
      total: checkLimit("maxUnacked", options.maxUnacked ?? DEFAULT_MAX_UNACKED),
      bytes: MAX_UNACKED_BYTES,
    },
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
    limits,
    open,
    withReceipts,
    stopping: false,
    emptied: () => {},
  };

  const connections = createConnections(
    { perAddress: limits.maxConnectionsPerAddress, total: limits.maxConnections },
    log,
  );
  const server = new Server({
    "grpc.max_receive_message_length": MAX_TRANSPORT_BYTES,
    "grpc.max_send_message_length": MAX_TRANSPORT_BYTES,
    // A peer that went away without a word is noticed within 25 s (L3).
    "grpc.keepalive_time_ms": 15_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": MAX_IDLE_MS,
    "grpc.max_concurrent_streams": MAX_CALLS_OF_A_CONNECTION,
    // Statistics of every connection and call, which nobody could ask for (`guarded-streams.ts`).
    "grpc.enable_channelz": 0,
    // The first is next to the transport: it looks at the call as grpc-js has made it.
    interceptors: [
      refuseCompressed,
      refuseOver(connections),
      requestInTime(REQUEST_MS),
      loginFirst(logins),
      takeConnectCalls((stream) => connect(sessions, stream)),
    ],
  });
  guardStreams(server, log, boundRequests());
  // Those of Connect are taken before they have a handler.
  const handlers: HubHandlers = { connect: () => {}, ...unaryHandlers(sessions) };
  server.addService(hubService(maxMessageBytes), { ...handlers });
  const health = addHealth(server);
  addReflection(server);

  await expiry.restore(store);
  const edge = await openEdge({
    ...{ server, connections, log },
    address: listenAddress,
    tls: options.tls,
  }).catch(async (error: unknown) => {
    expiry.stop();
    logins.stop();
    await audit.close();
    throw error;
  });
  const { host } = listenAddress;
  const address = host.includes(":") ? `[${host}]:${edge.port}` : `${host}:${edge.port}`;
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
      stopped ??= drain({ server, edge, health, sessions, expiry, log }).then(audit.close);
      return stopped;
    },
  };
}
