import { setImmediate as nextImmediate } from "node:timers/promises";
import { vi } from "vitest";
import { registerService } from "../../src/hub/services.js";
import type { Store } from "../../src/hub/store.js";
import { AcceptPolicy, ConnectRequest, ConnectResponse, Service } from "../../src/protocol/wire.js";
import type { WindowLimits } from "../../src/server/window.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { type HubInMemory, hubInMemory } from "./hub-in-memory.js";
import { AUTO_SERVICE } from "./hub-steps.js";
import { type LogWatch, watchLog } from "./log-watch.js";
import { type SessionWatch, watchSession } from "./session-watch.js";
import { doubleStore, type StoreDouble } from "./store-double.js";
import { type Mode, openStream, type StreamDouble } from "./stream-double.js";

/** One session, both ends of it. */
export interface Client {
  agentId: string;
  mode: Mode;
  stream: StreamDouble;
  watch: SessionWatch;
  /** The newest delivery of each channel that the client has looked at. */
  seen: Map<string, number>;
}

/** A frame that somebody has said, to be said again under its key. */
export interface SaidFrame {
  agentId: string;
  frame: NonNullable<ConnectRequest["frame"]>;
}

/** A hub in memory, everybody who talks to it, and everything known about them. */
export interface World {
  readonly log: LogWatch;
  readonly clients: Client[];
  readonly said: SaidFrame[];
  readonly violations: string[];
  readonly real: Store;
  double(): StoreDouble;
  connect(agentId: string, mode: Mode): Client;
  send(client: Client, request: Partial<ConnectRequest>): void;
  /** Lets everything happen that can, and looks whether all of it has. */
  rest(): Promise<void>;
  /** Time passes: the clocks go on, and timers are due. */
  pass(ms: number): void;
  /** The wall clock is set. */
  stepClock(ms: number): void;
  /** SIGKILL, and a new life on what was stored. */
  kill(): Promise<void>;
  /** SIGTERM, and a new life. */
  drain(): Promise<void>;
  /** Whether the storage has failed at any time, so that times are no longer exact. */
  noteFailing(): void;
  close(): Promise<void>;
}

/** Begins a world with an empty store. The caller has faked the timers. */
export async function beginWorld(window: WindowLimits): Promise<World> {
  const real = await openSqliteStore({ path: ":memory:" });
  const violations: string[] = [];
  const clients: Client[] = [];
  const said: SaidFrame[] = [];
  let wallMs = 1_000_000_000;
  let monotonicMs = 0;
  let made = 0;
  let stopping = false;
  let stopped = false;
  let failed = false;
  let requests = 0;
  const violated = (what: string) => violations.push(what);
  const log = watchLog({ wallMs: () => wallMs, monotonicMs: () => monotonicMs, violated });
  const newId = (prefix: string) => {
    made += 1;
    return `${prefix}_${made}`;
  };
  let double: StoreDouble;
  let hub: HubInMemory;

  async function begin(): Promise<void> {
    stopping = false;
    stopped = false;
    double = doubleStore({
      real,
      committed: log.committed,
      isStopped: () => stopped,
      misused: () => violated("the store is used after the hub has stopped (L2)"),
    });
    log.began();
    hub = await hubInMemory({ store: double.store, nowMs: () => wallMs, newId, window });
  }

  function pump(): boolean {
    let any = false;
    for (const { stream } of clients) any = stream.pump() || any;
    return any;
  }

  async function rest(): Promise<void> {
    let quiet = 0;
    for (let rounds = 0; quiet < 3; rounds += 1) {
      if (rounds > 5_000) {
        violated("the hub does not come to rest");
        return;
      }
      let idle = false;
      void hub.turns.idle().then(() => (idle = true));
      const moved = pump();
      await nextImmediate();
      quiet = !pump() && !moved && (idle || double.isWaiting()) ? quiet + 1 : 0;
    }
    if (!double.isWaiting()) checkAtRest();
  }

  function checkAtRest(): void {
    for (const { watch, stream, mode } of clients) {
      const status = watch.status();
      if (status !== "cut") watch.checkAnswered();
      watch.takePositionsIn();
      if (status !== undefined || watch.leaving() !== "" || stream.isStalled()) continue;
      if (mode !== "none" && !watch.isClosing()) watch.deliveries.checkComplete();
      if (watch.isMissed() && !stream.wasPaused) violated("a silent session goes on (L3)");
    }
    log.checkPositions();
    for (const [channelId, { notBeforeMs, toldByMs }] of log.waiting()) {
      const dueMs = Math.max(notBeforeMs, toldByMs);
      // A hub on its way out leaves them to the next (C4).
      if (!failed && !stopping && monotonicMs > dueMs)
        violated(`${channelId} does not expire (C4)`);
    }
    log.told();
  }

  function pass(ms: number): void {
    wallMs += ms;
    monotonicMs += ms;
    vi.advanceTimersByTime(ms);
  }

  await begin0();
  return {
    log,
    clients,
    said,
    violations,
    real,
    double: () => double,
    connect(agentId, mode) {
      const watch = watchSession({
        agentId,
        mode,
        log,
        window,
        monotonicMs: () => monotonicMs,
        violated,
      });
      const seen = new Map<string, number>();
      const received = (bytes: Uint8Array) => {
        const { frame } = ConnectResponse.decode(bytes);
        if (frame !== undefined && "seq" in frame.value) {
          seen.set(frame.value.channelId, Number(frame.value.seq));
        }
      };
      const stream = openStream(agentId, mode, { ...watch, received });
      const client = { agentId, mode, stream, watch, seen };
      clients.push(client);
      hub.connect(stream);
      return client;
    },
    send({ stream }, request) {
      requests += 1;
      const requestId = `r${requests}`;
      stream.send(
        ConnectRequest.encode(ConnectRequest.fromPartial({ ...request, requestId })).finish(),
      );
    },
    rest,
    pass,
    stepClock(ms) {
      wallMs += ms;
    },
    async kill() {
      double.die();
      for (const { stream, watch } of clients) {
        stream.kill();
        watch.takePositionsIn();
      }
      clients.length = 0;
      // What the dead one had begun comes to nothing.
      for (let count = 0; count < 3; count += 1) await nextImmediate();
      vi.clearAllTimers();
      await begin();
    },
    async drain() {
      double.free();
      stopping = true;
      let done = false;
      const over = hub.drain(() => clients.map(({ stream }) => stream)).then(() => (done = true));
      for (const ms of [0, 5_000, 2_000]) {
        if (!done) pass(ms);
        await rest();
      }
      if (!done) violated("the hub does not stop within 7 s (L2)");
      else await over;
      stopped = true;
      for (const { watch } of clients) {
        const { code } = Object(watch.status()) as { code?: number };
        if (watch.status() === undefined) violated("a session outlives its hub (L2)");
        if (watch.leaving() === "SHUTTING_DOWN" && code !== undefined && code !== 14) {
          violated(`a session ends with ${code} when the hub stops (L2)`);
        }
      }
      if (vi.getTimerCount() > 0) violated(`${vi.getTimerCount()} timers run on after the hub`);
      await rest();
      clients.length = 0;
      await begin();
    },
    noteFailing() {
      failed = true;
    },
    async close() {
      double.die();
      vi.clearAllTimers();
      await real.close();
    },
  };

  /** The first life, with a service that accepts by itself. */
  async function begin0(): Promise<void> {
    await begin();
    const env = { nowMs: () => wallMs, newId, isOnline: () => false };
    const limits = { maxPendingRequests: 100, maxChannels: 0 };
    const rules = { directChats: true, agentsMustBeKnown: false, ...limits };
    await double.store.transaction((tx) =>
      registerService(
        { tx, env: { ...env, ...rules }, written: [], moved: [], denied: [] },
        "c",
        Service.fromPartial({
          serviceId: AUTO_SERVICE,
          acceptPolicy: AcceptPolicy.ACCEPT_POLICY_AUTO,
          maxActiveChats: 2,
        }),
      ),
    );
  }
}
