import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Delivery } from "../../src/client/delivery.js";
import { Inbox } from "../../src/client/inbox.js";
import { type Listener, newLane, type Outcome } from "../../src/client/listeners.js";
import { ChatEnd, ChatMessage } from "../../src/protocol/wire.js";

/** An inbox against a model of the hub's side of D5: whatever happens, everything arrives. */

interface World {
  /** For each channel, whether its entries are messages; others are of a kind nobody hears. */
  channels: boolean[][];
  perChannel: number;
  total: number;
  maxEntries: number;
  lanes: number;
}

interface Step {
  what: "handled" | "failed" | "left" | "session" | "pause" | "expect";
  pick: number;
}

/** More than any of these worlds needs to come to rest. */
const MAX_ROUNDS = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function deliveryOf(channelId: string, seq: number, isMessage: boolean): Delivery {
  const head = { channelId, seq, bytes: 1, replayed: true };
  const place = { channelId, seq: BigInt(seq) };
  return isMessage
    ? {
        ...head,
        kind: "message",
        frame: { $case: "chatMessage", value: ChatMessage.fromPartial(place) },
      }
    : { ...head, kind: "end", frame: { $case: "chatEnd", value: ChatEnd.fromPartial(place) } };
}

/** The hub's side: sends in turn what the window lets through, and counts until told. */
function modelHub(world: World, offer: (delivery: Delivery) => void) {
  const ids = world.channels.map((_, n) => `ch${n}`);
  const positions = new Map(ids.map((id) => [id, 0]));
  const sent = new Map(ids.map((id) => [id, 0]));
  const unacked = new Map<string, number[]>(ids.map((id) => [id, []]));

  function count(): number {
    return [...unacked.values()].reduce((sum, seqs) => sum + seqs.length, 0);
  }

  function release(id: string, upTo: number): void {
    unacked.set(
      id,
      (unacked.get(id) ?? []).filter((seq) => seq > upTo),
    );
  }

  return {
    ack(id: string, seq: number) {
      positions.set(id, Math.max(positions.get(id) ?? 0, seq));
      release(id, seq);
    },
    setAside: release,
    begin() {
      for (const id of ids) {
        sent.set(id, positions.get(id) ?? 0);
        unacked.set(id, []);
      }
    },
    /** Sends one entry of each channel that may be sent; false where none may. */
    turn(): boolean {
      let any = false;
      for (const [n, id] of ids.entries()) {
        const entries = world.channels[n] ?? [];
        const seq = (sent.get(id) ?? 0) + 1;
        const open = unacked.get(id) ?? [];
        if (seq > entries.length || open.length >= world.perChannel || count() >= world.total)
          continue;
        sent.set(id, seq);
        open.push(seq);
        any = true;
        offer(deliveryOf(id, seq, entries[seq - 1] ?? false));
      }
      return any;
    },
  };
}

async function play(world: World, steps: Step[]): Promise<{ reopened: number }> {
  const running: { delivery: Delivery; finish: (outcome: Outcome) => void }[] = [];
  const handled = new Map<string, number[]>();
  let reopenAsked = false;
  let reopened = 0;
  let expecting = false;
  const hub = modelHub(world, (delivery) => inbox.offer(delivery));
  const inbox: Inbox = new Inbox({
    bounds: { maxEntries: world.maxEntries, maxBytes: Infinity },
    ack: (id, seq) => hub.ack(id, seq),
    setAside: (id, seq) => hub.setAside(id, seq),
    reopen: () => {
      reopenAsked = true;
    },
    claim: () => "not mine",
    expectsAnswers: () => expecting,
  });
  const listener: Listener = {
    lane: newLane(world.lanes),
    waitedFor: true,
    acked: () => {},
    handle: (delivery) => new Promise((finish) => running.push({ delivery, finish })),
  };
  inbox.attach(["message"], listener);
  const limits = {
    maxMessageBytes: 0,
    maxUnackedPerChannel: world.perChannel,
    maxUnacked: world.total,
    maxUnackedBytes: 0,
    heartbeatIntervalMs: 0,
  };

  function session(own: boolean): void {
    reopenAsked = false;
    hub.begin();
    inbox.sessionStarted(own, limits);
  }

  /** Lets the hub send, and the inbox begin, until neither does anything more. */
  async function settle(): Promise<void> {
    let rounds = 0;
    do {
      rounds += 1;
      if (rounds > MAX_ROUNDS) throw new Error("the inbox and the hub keep each other busy");
      if (reopenAsked) {
        reopened += 1;
        session(true);
      }
      while (hub.turn()) if (reopenAsked) break;
      for (let n = 0; n < 10; n += 1) await Promise.resolve();
    } while (reopenAsked || hub.turn());
  }

  function finishOne(outcome: Outcome, pick: number): void {
    const [one] = running.splice(pick % Math.max(running.length, 1), 1);
    if (one === undefined) return;
    if (outcome === "handled") {
      const { channelId, seq } = one.delivery;
      handled.set(channelId, [...(handled.get(channelId) ?? []), seq]);
    }
    one.finish(outcome);
  }

  session(false);
  for (const { what, pick } of steps) {
    if (what === "session") session(false);
    else if (what === "pause") vi.advanceTimersByTime(1_000);
    else if (what === "expect") {
      expecting = !expecting;
      inbox.answersChanged();
    } else finishOne(what, pick);
    await settle();
  }
  // From here on everything goes well, and whatever was left must come.
  expecting = false;
  if (steps.some(({ what }) => what !== "handled")) session(false);
  await settle();
  let finals = 0;
  for (let idle = 0; idle < 3; ) {
    finals += 1;
    if (finals > MAX_ROUNDS) throw new Error("it never came to rest");
    idle = running.length === 0 ? idle + 1 : 0;
    finishOne("handled", 0);
    await settle();
    // Only at rest: where somebody is at work, nothing has to wait for a clock.
    if (running.length > 0) continue;
    vi.advanceTimersByTime(1_000);
    await settle();
  }
  inbox.close();
  for (const [n, entries] of world.channels.entries()) {
    const messages = entries.flatMap((isMessage, index) => (isMessage ? [index + 1] : []));
    expect(handled.get(`ch${n}`) ?? []).toEqual(messages);
  }
  return { reopened };
}

const worlds = fc.record({
  channels: fc.array(fc.array(fc.boolean(), { maxLength: 25 }), { minLength: 1, maxLength: 6 }),
  perChannel: fc.integer({ min: 1, max: 6 }),
  total: fc.integer({ min: 1, max: 12 }),
  maxEntries: fc.integer({ min: 1, max: 16 }),
  lanes: fc.integer({ min: 1, max: 4 }),
});
const pick = fc.nat({ max: 10 });

test("D1 D3 D5: each message is handled once and in order, whatever waits, fails or is set aside", async () => {
  const step = fc.record({
    what: fc.constantFrom<Step["what"][]>(
      "handled",
      "handled",
      "failed",
      "left",
      "session",
      "pause",
      "expect",
    ),
    pick,
  });
  await fc.assert(
    fc.asyncProperty(worlds, fc.array(step, { maxLength: 40 }), async (world, steps) => {
      await play(world, steps);
    }),
    { numRuns: 300 },
  );
});

test("D5: where there is room for what the hub lets be unacked, one session is enough", async () => {
  const step = fc.record({ what: fc.constant<Step["what"]>("handled"), pick });
  await fc.assert(
    fc.asyncProperty(worlds, fc.array(step, { maxLength: 40 }), async (world, steps) => {
      const roomy = { ...world, maxEntries: Math.max(world.maxEntries, world.total) };
      expect(await play(roomy, steps)).toEqual({ reopened: 0 });
    }),
    { numRuns: 200 },
  );
});
