import { startChild } from "../support/child.ts";
import type { World } from "./namespaces.ts";
import type { Observer } from "./observer.ts";
import {
  type BareOrder,
  type BareReport,
  type ClientOrder,
  type ClientReport,
  nowMs,
} from "./words.ts";

/** Where a case takes place. */
export interface Scene {
  world: World;
  /** `ip:port` of the hub. */
  address: string;
  observer: Observer;
}

/** What a case showed; a time that it has nothing to say about is left out. */
export interface Shown {
  /** From the silence until the hub showed the agent offline, or the client its disconnection. */
  noticeMs?: Record<string, number>;
  /** From the moment the cable was plugged in again until the client's session. */
  reconnectMs?: number;
  /** From its opening until the newer session was greeted, and sent what the older one had. */
  takeoverMs?: number;
  /** What should have been otherwise. */
  broken: string[];
}

/** Silence must be noticed within this time (L3). */
export const NOTICE_MS = 30_000;
/** "A few seconds", with room for a busy machine. */
const RECONNECT_MS = 15_000;

const bareUrl = new URL("bare-process.ts", import.meta.url);
const is =
  <What extends BareReport["what"]>(what: What) =>
  (report: BareReport): report is Extract<BareReport, { what: What }> =>
    report.what === what;

/** A client's cable is pulled: hub and client both notice, and the client comes back. */
export async function cablePulled({ world, address, observer }: Scene): Promise<Shown> {
  const client = startChild<ClientOrder, ClientReport>(
    new URL("client-process.ts", import.meta.url),
    world.under(0),
  );
  const state = (wanted: string) => client.next((report) => report.state === wanted);
  client.tell({ offer: { address, agentId: "pulled", serviceId: "pulled" } });
  await state("connected");
  await observer.saw("pulled", true);
  const pulledAtMs = nowMs();
  await world.pull(0);
  const [offline, disconnected] = await Promise.all([
    observer.saw("pulled", false),
    state("disconnected"),
  ]);
  const pluggedAtMs = nowMs();
  await world.plug(0);
  const [connected] = await Promise.all([state("connected"), observer.saw("pulled", true)]);
  await client.end();
  const reconnectMs = connected.atMs - pluggedAtMs;
  const noticeMs = {
    hub: offline.atMs - pulledAtMs,
    client: disconnected.atMs - pulledAtMs,
  };
  const broken = reconnectMs > RECONNECT_MS ? [`it came back after ${reconnectMs} ms only`] : [];
  return { noticeMs, reconnectMs, broken };
}

/** A process that sends heartbeats is stopped. */
export async function processStopped({ world, address, observer }: Scene): Promise<Shown> {
  const bare = startChild<BareOrder, BareReport>(bareUrl, world.under(1));
  bare.tell({ order: "open", address, agentId: "stopped", serviceId: "stopped" });
  await Promise.all([bare.next(is("started")), bare.next(is("registered"))]);
  bare.tell({ order: "heartbeat", everyMs: 10_000 });
  await bare.next(is("answered"));
  await observer.saw("stopped", true);
  const stoppedAtMs = nowMs();
  bare.signal("SIGSTOP");
  const offline = await observer.saw("stopped", false);
  bare.signal("SIGCONT");
  await bare.next(is("ended"));
  await bare.end();
  return { noticeMs: { hub: offline.atMs - stoppedAtMs }, broken: [] };
}

/**
 * An application that has sent a heartbeat falls silent, while its transport goes on answering
 * pings: only the heartbeats tell.
 */
export async function applicationSilent({ world, address, observer }: Scene): Promise<Shown> {
  const bare = startChild<BareOrder, BareReport>(bareUrl, world.under(2));
  bare.tell({ order: "open", address, agentId: "silent", serviceId: "silent" });
  await Promise.all([bare.next(is("started")), bare.next(is("registered"))]);
  bare.tell({ order: "heartbeat" });
  await bare.next(is("answered"));
  const silentSinceMs = nowMs();
  await observer.saw("silent", true);
  const offline = await observer.saw("silent", false);
  const { reason, reconnect } = await bare.next(is("goAway"));
  await bare.next(is("ended"));
  await bare.end();
  const right = reason === "HEARTBEAT_MISSED" && reconnect;
  const broken = right ? [] : [`it was sent away with ${reason}, reconnect ${reconnect}`];
  return { noticeMs: { hub: offline.atMs - silentSinceMs }, broken };
}

/** What the older session says too late. */
export const LATE_WORDS = "too late";

/**
 * An agent's cable is pulled, and the agent comes again from elsewhere: the newer session takes
 * over at once, with everything that was not acked. What the older one sends then arrives when
 * its cable is plugged in again, and is not stored (I4).
 */
export async function takenOver({ world, address, observer }: Scene): Promise<Shown> {
  const open = { order: "open", address, agentId: "mover", serviceId: "mover" } as const;
  const friend = startChild<BareOrder, BareReport>(bareUrl, world.under(5));
  friend.tell({ ...open, agentId: "friend", serviceId: "friend" });
  await friend.next(is("started"));
  const older = startChild<BareOrder, BareReport>(bareUrl, world.under(3));
  older.tell(open);
  await Promise.all([older.next(is("started")), older.next(is("registered"))]);
  friend.tell({ order: "say", targetAgent: "mover", words: "one" });
  const one = await older.next(is("delivered"));
  await observer.saw("mover", true);
  await world.pull(3);
  older.tell({ order: "say", targetAgent: "friend", words: LATE_WORDS, ack: one });

  const newer = startChild<BareOrder, BareReport>(bareUrl, world.under(4));
  await newer.next(is("ready"));
  const openedAtMs = nowMs();
  newer.tell(open);
  const [started, again] = await Promise.all([
    newer.next(is("started")),
    newer.next(is("delivered")),
  ]);
  const broken: string[] = [];
  if (again.seq !== one.seq) broken.push(`the newer session was sent ${again.seq}, not ${one.seq}`);

  await world.plug(3);
  const ended = await older.next(is("ended"));
  if (ended.code !== 10) broken.push(`the older session ended with ${ended.code}, not ABORTED`);
  // Its answer comes behind everything that was sent on this connection: the hub has read it.
  older.tell({ order: "call" });
  await older.next(is("called"));
  friend.tell({ order: "say", targetAgent: "mover", words: "two" });
  const two = await newer.next(is("delivered"));
  if (two.words !== "two") broken.push(`the newer session was sent "${two.words}"`);
  await Promise.all([older, newer, friend].map((child) => child.end()));
  return { takeoverMs: Math.max(started.atMs, again.atMs) - openedAtMs, broken };
}
