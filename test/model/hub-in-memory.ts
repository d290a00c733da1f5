import type { Server } from "@grpc/grpc-js";
import type { HealthImplementation } from "grpc-health-check";
import { pino } from "pino";
import type { Environment } from "../../src/hub/context.js";
import type { Store } from "../../src/hub/store.js";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.js";
import { connect } from "../../src/server/connect.js";
import { drain } from "../../src/server/drain.js";
import { createExpiry } from "../../src/server/expiry.js";
import { openLogins } from "../../src/server/logins.js";
import { createRates } from "../../src/server/rate.js";
import { createReceivers } from "../../src/server/receivers.js";
import type { Session } from "../../src/server/session.js";
import { createSessionPlaces } from "../../src/server/session-places.js";
import type { Sessions } from "../../src/server/sessions.js";
import { createTurns, type Turns } from "../../src/server/turns.js";
import type { WindowLimits } from "../../src/server/window.js";
import type { StreamDouble } from "./stream-double.js";

/** How often clients of this hub that send heartbeats should, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 10_000;

/** One life of a hub: the real shell and core, wired as `startHub` does, without a server. */
export interface HubInMemory {
  turns: Turns;
  connect(stream: StreamDouble): void;
  /** What SIGTERM does. @param streams all that are open */
  drain(streams: () => StreamDouble[]): Promise<void>;
}

/** Begins a hub's life on a store, with the pending requests that it finds there. */
export async function hubInMemory(of: {
  store: Store;
  nowMs: () => number;
  newId: Environment["newId"];
  window: WindowLimits;
}): Promise<HubInMemory> {
  const { store, nowMs, newId, window } = of;
  const log = pino({ level: "silent" });
  const receivers = createReceivers();
  const env: Environment = {
    nowMs,
    newId,
    isOnline: receivers.isOnline,
    directChats: true,
    agentsMustBeKnown: false,
    maxPendingRequests: 100,
    maxChannels: 0,
  };
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
    denied: () => {},
    settled() {
      for (const session of withReceipts) session.settle();
      withReceipts.clear();
    },
  });
  const expiry = createExpiry({ turns, nowMs, log });
  const sessions: Sessions = {
    turns,
    receivers,
    rates: createRates({ maxFramesPerSecond: 0, maxBytesPerSecond: 0, nowMs }),
    places: createSessionPlaces(0),
    logins: openLogins(),
    log,
    storeEpoch: store.epoch,
    maxMessageBytes: 1024 * 1024,
    window,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    limits: DEFAULT_LIMITS,
    open: new Set(),
    withReceipts,
    stopping: false,
    emptied: () => {},
  };
  await expiry.restore(store);
  return {
    turns,
    connect: (stream) => connect(sessions, stream.server),
    drain(streams) {
      const server = {
        tryShutdown: (done: () => void) => done(),
        forceShutdown() {
          for (const stream of streams()) stream.cut();
        },
      } as unknown as Server;
      const health = { setStatus: () => {} } as unknown as HealthImplementation;
      const edge = { port: 0, close: async () => {}, cutAll() {} };
      return drain({ server, edge, health, sessions, expiry, log });
    },
  };
}
