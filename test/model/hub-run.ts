import { setImmediate as nextImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { vi } from "vitest";
import type { WindowLimits } from "../../src/server/window.js";
import { keyOf } from "./frame-words.js";
import { frameOf, nth } from "./hub-frames.js";
import { type AckStep, AGENTS, type Step, type What } from "./hub-steps.js";
import { beginWorld, type Client, type World } from "./hub-world.js";
import { FAULTY_KEY } from "./store-double.js";

type Seen = Map<string, number>;

/** Every timeout of a request in these runs, and then some, in milliseconds. */
const ALL_EXPIRED_MS = 21_000;

/** Does the steps to a hub, and tells the first thing that is wrong. */
export async function tryHub(steps: Step[], window: WindowLimits, seen: Seen): Promise<void> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const world = await beginWorld(window);
  try {
    for (const { what, until } of steps) {
      await act(world, what, seen);
      if (until === "rest") await world.rest();
      else if (until === "a tick") await nextImmediate();
      check(world);
    }
    await conclude(world);
    check(world);
  } finally {
    await world.close();
    vi.useRealTimers();
  }
}

function check({ violations }: World): void {
  if (violations.length > 0) throw new Error(violations.slice(0, 5).join("\n"));
}

const isOpen = ({ stream }: Client) => !stream.isClosed;

function note(seen: Seen, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

async function act(world: World, what: What, seen: Seen): Promise<void> {
  const open = world.clients.filter(isOpen);
  const client = "session" in what ? nth(open, what.session) : undefined;
  if ("session" in what && client === undefined) return;
  note(seen, what.do);
  switch (what.do) {
    case "connect":
      world.connect(what.agent, what.mode);
      return;
    case "hold":
      world.double().hold();
      return;
    case "release":
      world.double().step();
      return;
    case "free":
      world.double().free();
      return;
    case "fail":
      world.noteFailing();
      world.double().failNext(what.count, what.after);
      return;
    case "kill":
      return world.kill();
    case "drain":
      return world.drain();
    case "clock":
      world.stepClock(what.ms);
      return;
    case "time":
      world.pass(what.ms);
      return;
    default:
      if (client !== undefined) actInSession(world, client, what);
  }
}

function actInSession(
  world: World,
  client: Client,
  what: Extract<What, { session: number }>,
): void {
  const { stream, agentId } = client;
  switch (what.do) {
    case "send": {
      const frame = frameOf(world, agentId, what.frame);
      if (frame === undefined) return;
      if (frame.$case !== "chatHistory") world.said.push({ agentId, frame });
      const acks = what.ack === undefined ? [] : positions(world, client, what.ack);
      world.send(client, { frame, acks, heartbeat: what.heartbeat });
      return;
    }
    case "burst":
      for (let count = 0; count < what.count; count += 1) burst(world, client, what.of);
      return;
    case "resend": {
      const earlier = world.said.filter((one) => one.agentId === agentId);
      const again = nth(earlier.toReversed(), what.frame);
      if (again !== undefined) world.send(client, { frame: again.frame });
      return;
    }
    case "ack": {
      const acks = positions(world, client, what.ack);
      if (acks.length > 0) world.send(client, { acks });
      return;
    }
    case "set aside": {
      const setAside = positions(world, client, what.ack);
      if (setAside.length > 0) world.send(client, { setAside });
      return;
    }
    case "ack all":
      ackAll(world, client);
      return;
    case "heartbeat":
      world.send(client, { heartbeat: true });
      return;
    case "half-close":
      stream.halfClose();
      return;
    case "cut":
      stream.cut();
      return;
    case "stall":
      stream.stall(what.on);
      return;
    case "lag":
      stream.lag(what.on);
      return;
    case "take":
      stream.take(what.count);
      return;
    default:
      what satisfies never;
  }
}

function burst(world: World, client: Client, of: "messages" | "heartbeats" | "refusals"): void {
  if (of === "heartbeats") {
    world.send(client, { heartbeat: true });
    return;
  }
  const agent =
    of === "refusals" ? client.agentId : (AGENTS.find((one) => one !== client.agentId) ?? "");
  const frame = frameOf(world, client.agentId, { kind: "message to", agent });
  if (frame === undefined) return;
  world.said.push({ agentId: client.agentId, frame });
  world.send(client, { frame });
}

function positions(world: World, client: Client, { channel, back }: AckStep) {
  const [channelId, newest] = nth([...client.seen], channel) ?? [];
  if (channelId === undefined || newest === undefined) return [];
  const seq = back < 0 ? world.log.log(channelId).length + 1000 : Math.max(0, newest - back);
  return [{ channelId, seq: BigInt(seq) }];
}

/** @returns whether there was anything to ack */
function ackAll(world: World, client: Client): boolean {
  const acks = [...client.seen].map(([channelId, seq]) => ({ channelId, seq: BigInt(seq) }));
  if (acks.length > 0) world.send(client, { acks });
  return acks.length > 0;
}

/** All obstacles go; then everybody has everything, and the store holds what was seen. */
async function conclude(world: World): Promise<void> {
  world.double().failNext(0, 0);
  world.double().free();
  for (const { stream } of world.clients) {
    stream.stall(false);
    stream.lag(false);
  }
  await world.rest();
  const fresh = AGENTS.map((agentId) => world.connect(agentId, "manual"));
  await world.rest();
  for (const client of fresh) {
    const known = world.said.filter(({ agentId }) => agentId === client.agentId);
    for (const { frame } of known) {
      if (keyOf(frame) !== "" && !keyOf(frame).startsWith(FAULTY_KEY))
        world.send(client, { frame });
    }
  }
  await world.rest();
  world.pass(ALL_EXPIRED_MS);
  await world.rest();
  world.pass(ALL_EXPIRED_MS);
  await readEverything(world, fresh);
  world.pass(100);
  await world.rest();
  for (const { watch } of fresh) watch.checkProgress();
  if (world.log.waiting().size > 0) world.violations.push("a request never expires (C4)");
  await compareWithStore(world);
  await world.drain();
}

async function readEverything(world: World, fresh: Client[]): Promise<void> {
  let before = -1;
  for (;;) {
    await world.rest();
    const delivered = fresh.reduce(
      (sum, { seen }) => sum + [...seen.values()].reduce((a, b) => a + b, 0),
      0,
    );
    if (delivered === before) return;
    before = delivered;
    for (const client of fresh) ackAll(world, client);
  }
}

async function compareWithStore(world: World): Promise<void> {
  for (const { channelId } of world.log.channels()) {
    const { entries } = await world.real.transaction((tx) =>
      tx.entries({ channelId, limit: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER }),
    );
    const same = isDeepStrictEqual(
      entries.map(({ body, ...head }) => ({ ...head, body: Buffer.from(body) })),
      world.log.log(channelId).map(({ body, ...head }) => ({ ...head, body: Buffer.from(body) })),
    );
    if (!same) world.violations.push(`${channelId} is not in the store as it was committed`);
  }
  for (const agentId of AGENTS) {
    const behind = await world.real.transaction((tx) => tx.channelsBehind(agentId));
    if (behind.length > 0) world.violations.push(`${agentId} acked all and is behind in the store`);
  }
}
