import type { Server } from "@grpc/grpc-js";
import type { HealthImplementation } from "grpc-health-check";
import type { Logger } from "pino";
import type { Edge } from "./edge.js";
import type { Expiry } from "./expiry.js";
import { SHUTTING_DOWN } from "./farewells.js";
import { stopServing } from "./health.js";
import type { Sessions } from "./sessions.js";

/** How long sessions have to take their last answers, and calls to end, in milliseconds. */
const SESSIONS_MS = 5_000;
const SERVER_MS = 2_000;
/** Clients come back between these, each at its own time, so that not all come at once. */
const RECONNECT_FROM_MS = 100;
const RECONNECT_TO_MS = 2_000;

/** Stops a hub in order: nothing new, what was read is answered, then the server closes (L2). */
export async function drain(of: {
  server: Server;
  edge: Edge;
  health: HealthImplementation;
  sessions: Sessions;
  expiry: Expiry;
  log: Logger;
}): Promise<void> {
  const { server, edge, health, sessions, expiry, log } = of;
  sessions.stopping = true;
  stopServing(health);
  // failpoint: drain-begun
  expiry.stop();
  log.info({ sessions: sessions.open.size }, "hub is going away");
  for (const session of sessions.open) {
    const spreadMs = Math.random() * (RECONNECT_TO_MS - RECONNECT_FROM_MS);
    session.goAway(SHUTTING_DOWN, Math.round(RECONNECT_FROM_MS + spreadMs));
  }
  // failpoint: drain-sessions-told
  await settled(
    new Promise<void>((resolve) => {
      sessions.emptied = resolve;
      if (sessions.open.size === 0) resolve();
    }),
    SESSIONS_MS,
  );
  // A connection goes when its last stream has ended, so this needs a limit too. What tryShutdown
  // itself says comes too early: on a server that listens nowhere it does not wait for them.
  const gone = edge.close();
  server.tryShutdown(() => {});
  await settled(gone, SERVER_MS);
  // failpoint: drain-sessions-gone
  server.forceShutdown();
  // Those that were not let in yet are not the server's.
  edge.cutAll();
  await sessions.turns.idle();
  // An entry of the last turns may have started a timer after the first stop.
  expiry.stop();
  log.info("hub stopped");
}

/** Resolves when the work is done or the time is up, whichever is first. */
async function settled(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}
