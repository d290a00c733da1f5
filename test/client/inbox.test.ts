import { afterEach, expect, test, vi } from "vitest";
import type { Delivery } from "../../src/client/delivery.js";
import { Inbox } from "../../src/client/inbox.js";
import type { InboxLinks } from "../../src/client/inbox-links.js";
import type { IncomingKind, SessionLimits } from "../../src/client/incoming.js";
import { type Listener, newLane, type Outcome } from "../../src/client/listeners.js";
import { ChatAccept, ChatMessage } from "../../src/protocol/wire.js";

/** Of a hub that announces no limits. */
const UNCOUNTED: SessionLimits = {
  maxMessageBytes: 0,
  maxUnackedPerChannel: 0,
  maxUnacked: 0,
  maxUnackedBytes: 0,
  heartbeatIntervalMs: 0,
};

/** Of entries that wait; each of delivery() has 10. */
const MAX_BYTES = 1_000;

/** Of a hub that counts what is unacked, and stops before the room is full. */
const COUNTED = { ...UNCOUNTED, maxUnacked: 8, maxUnackedBytes: MAX_BYTES };

/** No requestChat waits. */
const nothingClaimed: InboxLinks["claim"] = () => "not mine";

/** An inbox whose handlers finish when the test says so. */
function stuckInbox(maxBufferedEntries: number, claim = nothingClaimed, limits = UNCOUNTED) {
  const acks: string[] = [];
  const asides: string[] = [];
  const begun: string[] = [];
  const running: ((outcome: Outcome) => void)[] = [];
  let reopened = 0;
  const inbox = new Inbox({
    bounds: { maxEntries: maxBufferedEntries, maxBytes: MAX_BYTES },
    setAside: (channelId, seq) => asides.push(`${channelId} ${seq}`),
    ack: (channelId, seq) => acks.push(`${channelId} ${seq}`),
    reopen: () => {
      reopened += 1;
    },
    claim,
    expectsAnswers: () => claim !== nothingClaimed,
  });
  const listener: Listener = {
    lane: newLane(16),
    waitedFor: true,
    acked: () => {},
    handle({ channelId, seq }) {
      begun.push(`${channelId} ${seq}`);
      return new Promise((resolve) => running.push(resolve));
    },
  };
  inbox.attach(["message"], listener);
  inbox.sessionStarted(false, limits);
  inboxes.push(inbox);
  return {
    inbox,
    acks,
    asides,
    begun,
    reopened: () => reopened,
    /** Lets every handler finish, and those that begin because of that. */
    async finishAll() {
      while (running.length > 0) {
        for (const finish of running.splice(0)) finish("handled");
        await new Promise(setImmediate);
      }
    },
  };
}

const inboxes: Inbox[] = [];
afterEach(() => {
  for (const inbox of inboxes.splice(0)) inbox.close();
  vi.useRealTimers();
});

function delivery(channelId: string, seq: number, kind: IncomingKind = "message"): Delivery {
  const value = ChatMessage.fromPartial({ channelId, seq: BigInt(seq) });
  const frame = { $case: "chatMessage" as const, value };
  return { channelId, seq, kind, bytes: 10, replayed: false, frame };
}

function offerAll(inbox: Inbox, channelId: string, from: number, to: number): void {
  for (let seq = from; seq <= to; seq += 1) inbox.offer(delivery(channelId, seq));
}

test("D3: a channel keeps no more than its share of the buffer; the rest is fetched again", async () => {
  const { inbox, begun, acks, reopened, finishAll } = stuckInbox(8);
  offerAll(inbox, "x", 1, 100);
  expect(reopened()).toBe(0);
  await finishAll();
  // One that was worked on at once, and four that waited while four places were free.
  expect(begun).toEqual(["x 1", "x 2", "x 3", "x 4", "x 5"]);
  expect(acks.at(-1)).toBe("x 5");
  expect(reopened()).toBeGreaterThan(0);
  // Whatever comes before the new session is not taken: it would leave a gap.
  inbox.offer(delivery("x", 101));
  expect(begun).toHaveLength(5);
  inbox.sessionStarted(true, UNCOUNTED);
  offerAll(inbox, "x", 6, 8);
  await finishAll();
  expect(begun.slice(5)).toEqual(["x 6", "x 7", "x 8"]);
});

test("D3: what waits or is worked on takes no second place when it is delivered again", async () => {
  const { inbox, begun, finishAll } = stuckInbox(8);
  offerAll(inbox, "x", 1, 4);
  for (let session = 0; session < 10; session += 1) {
    inbox.sessionStarted(false, UNCOUNTED);
    offerAll(inbox, "x", 1, 4);
  }
  // Three of x wait; so there is room for three of another channel, beside the one worked on.
  offerAll(inbox, "y", 1, 4);
  await finishAll();
  expect(begun.sort()).toEqual(["x 1", "x 2", "x 3", "x 4", "y 1", "y 2", "y 3", "y 4"]);
});

test("D2: an entry that was handled is acked again when it is delivered again", async () => {
  const { inbox, begun, acks, finishAll } = stuckInbox(8);
  offerAll(inbox, "x", 1, 2);
  await finishAll();
  inbox.sessionStarted(false, UNCOUNTED);
  inbox.offer(delivery("x", 1));
  expect(begun).toHaveLength(2);
  expect(acks).toEqual(["x 1", "x 2", "x 2"]);
});

test("D7: acking an entry of another log by hand acks nothing in this one", () => {
  const { inbox, acks } = stuckInbox(8);
  const old = delivery("x", 7);
  inbox.offer(old);
  inbox.forgetAll();
  inbox.handled(old);
  expect(acks).toEqual([]);
});

test("C2: an answer is kept beyond the bound until its requestChat has its receipt", () => {
  let verdict: ReturnType<InboxLinks["claim"]> = "undecided";
  const { inbox, acks } = stuckInbox(1, ({ kind }) => (kind === "accept" ? verdict : "not mine"));
  // One is worked on, and one waits: there is no room left.
  for (const channelId of ["x", "y"]) offerAll(inbox, channelId, 1, 2);
  const value = ChatAccept.fromPartial({ channelId: "z", seq: 2n });
  const frame = { $case: "chatAccept" as const, value };
  inbox.offer({ channelId: "z", seq: 2, kind: "accept", bytes: 10, replayed: false, frame });
  expect(acks).toEqual([]);
  verdict = "claimed";
  inbox.answersChanged();
  expect(acks).toEqual(["z 2"]);
});

test("D5: what nobody listens for is set aside once nothing before it is held, and not before", async () => {
  const { inbox, asides, finishAll } = stuckInbox(100, nothingClaimed, {
    ...COUNTED,
    maxUnacked: 100,
  });
  inbox.offer(delivery("x", 1, "end"));
  expect(asides).toEqual(["x 1"]);
  inbox.offer(delivery("x", 2));
  inbox.offer(delivery("x", 3, "request"));
  inbox.offer(delivery("x", 4));
  inbox.offer(delivery("x", 5, "end"));
  expect(asides).toEqual(["x 1"]);
  await finishAll();
  // Of those handled in one go the hub is told by acks; the last one has none behind it.
  expect(asides).toEqual(["x 1", "x 3", "x 5"]);
});

test("D5: left entries that take half of what may be unacked for a second are set aside", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { inbox, asides } = stuckInbox(100, nothingClaimed, COUNTED);
  inbox.offer(delivery("x", 1));
  for (const seq of [2, 3, 4]) inbox.offer(delivery("x", seq, "end"));
  expect(asides).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(asides).toEqual([]);
  inbox.offer(delivery("x", 5, "end"));
  vi.advanceTimersByTime(999);
  expect(asides).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(asides).toEqual(["x 5"]);
});

test("D5: a hub that counts nothing is told nothing", async () => {
  const { inbox, asides, finishAll } = stuckInbox(8);
  inbox.offer(delivery("x", 1, "end"));
  offerAll(inbox, "y", 1, 100);
  await finishAll();
  expect(asides).toEqual([]);
});

test("D5: where the hub stops before the room is full, a channel may have all of it", async () => {
  const { inbox, begun, reopened, finishAll } = stuckInbox(8, nothingClaimed, COUNTED);
  offerAll(inbox, "x", 1, 8);
  await finishAll();
  expect(begun).toHaveLength(8);
  expect(reopened()).toBe(0);
});

test("the room is bounded in bytes as well", async () => {
  const { inbox, begun, finishAll } = stuckInbox(1_000_000);
  offerAll(inbox, "x", 1, 1_000);
  await finishAll();
  // One is worked on at once; as many wait as there were bytes free, half of what 1,000 hold.
  expect(begun).toHaveLength(1 + MAX_BYTES / 10 / 2);
});

test("D5: nothing is set aside twice, nor what was handled", async () => {
  const { inbox, asides, acks, finishAll } = stuckInbox(8, nothingClaimed, COUNTED);
  inbox.offer(delivery("x", 1));
  inbox.offer(delivery("x", 2, "end"));
  const last = delivery("x", 3);
  inbox.offer(last);
  inbox.handled(last);
  await finishAll();
  expect(acks).toEqual(["x 3"]);
  expect(asides).toEqual([]);
});

test("D5: while a requestChat waits and the hub may wait for acks, all is set aside", () => {
  const { inbox, asides } = stuckInbox(8, () => "undecided", {
    ...COUNTED,
    maxUnackedBytes: 2 ** 30,
  });
  offerAll(inbox, "x", 1, 4);
  offerAll(inbox, "y", 1, 3);
  expect(asides).toEqual([]);
  inbox.offer(delivery("y", 4));
  expect(asides).toEqual(["x 4", "y 4"]);
  // What still finds room is set aside as it comes, and what does not as well.
  inbox.offer(delivery("z", 1));
  expect(asides.at(-1)).toBe("z 1");
  offerAll(inbox, "z", 2, 9);
  expect(asides.at(-1)).toBe("z 9");
});
