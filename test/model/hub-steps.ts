import fc from "fast-check";
import type { Mode } from "./stream-double.js";

/** What happens to a hub, as data. The nth of something is counted round and round. */

export const AGENTS = ["a", "b", "c"] as const;
/** A service that accepts by itself, at most two chats at once; c offers it. */
export const AUTO_SERVICE = "auto";

/** What is said: where no channel fits, the step is left out. */
export type FrameStep =
  | { kind: "message"; channel: number; large: boolean; faulty: boolean }
  | { kind: "message to"; agent: string }
  | { kind: "message to service" }
  | { kind: "request"; agent: string; timeoutMs: number }
  | { kind: "request service"; timeoutMs: number }
  | { kind: "accept" | "reject" | "end" | "history"; channel: number };

/** Positions so many entries before the newest received; beyond the log where negative. */
export interface AckStep {
  channel: number;
  back: number;
}

export type What =
  | { do: "connect"; agent: string; mode: Mode }
  | { do: "send"; session: number; frame: FrameStep; ack: AckStep | undefined; heartbeat: boolean }
  | { do: "burst"; session: number; count: number; of: "messages" | "heartbeats" | "refusals" }
  | { do: "resend"; session: number; frame: number }
  | { do: "ack" | "set aside"; session: number; ack: AckStep }
  | { do: "ack all"; session: number }
  | { do: "heartbeat" | "half-close" | "cut"; session: number }
  | { do: "stall" | "lag"; session: number; on: boolean }
  | { do: "take"; session: number; count: number }
  | { do: "hold" | "release" | "free" | "kill" | "drain" }
  /** So many transactions fail, after so many that do not. */
  | { do: "fail"; count: number; after: number }
  | { do: "clock" | "time"; ms: number };

/** One thing that happens, and how far the hub gets before the next. */
export interface Step {
  what: What;
  until: "rest" | "a tick" | "nothing";
}

const agent = fc.constantFrom(...AGENTS);
const session = fc.nat(5);
const channel = fc.nat(5);
const ack = fc.record({ channel, back: fc.integer({ min: 0, max: 3 }) });
const timeoutMs = fc.constantFrom(20, 2_500, 20_000);

function one<const Name extends string, Rest extends object>(
  name: Name,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
): fc.Arbitrary<{ do: Name } & Rest> {
  return fc.record(rest).map((fields) => ({ do: name, ...(fields as Rest) }));
}

const bare = <const Name extends string>(name: Name): fc.Arbitrary<{ do: Name }> =>
  fc.constant({ do: name });

const frame: fc.Arbitrary<FrameStep> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant("message" as const),
      channel,
      large: fc.nat(19).map((dice) => dice === 19),
      faulty: fc.nat(19).map((dice) => dice === 19),
    }),
    weight: 6,
  },
  { arbitrary: fc.record({ kind: fc.constant("message to" as const), agent }), weight: 6 },
  { arbitrary: fc.constant({ kind: "message to service" as const }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant("request" as const), agent, timeoutMs }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant("request service" as const), timeoutMs }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom(...(["accept", "accept", "reject", "end", "history"] as const)),
      channel,
    }),
    weight: 5,
  },
);

const connect: fc.Arbitrary<What> = one("connect", {
  agent,
  mode: fc.constantFrom<Mode[]>("manual", "manual", "manual", "auto", "auto", "none"),
});

const what: fc.Arbitrary<What> = fc.oneof<fc.WeightedArbitrary<What>[]>(
  { arbitrary: connect, weight: 6 },
  {
    arbitrary: one("send", {
      session,
      frame,
      ack: fc.option(fc.record({ channel, back: fc.integer({ min: -1, max: 2 }) }), {
        nil: undefined,
        freq: 4,
      }),
      heartbeat: fc.nat(9).map((dice) => dice === 9),
    }),
    weight: 20,
  },
  {
    arbitrary: one("burst", {
      session,
      count: fc.constantFrom(4, 4, 12, 12, 12, 300),
      of: fc.constantFrom(...(["messages", "messages", "heartbeats", "refusals"] as const)),
    }),
    weight: 2,
  },
  { arbitrary: one("resend", { session, frame: fc.nat(9) }), weight: 4 },
  { arbitrary: one("ack", { session, ack }), weight: 4 },
  { arbitrary: one("set aside", { session, ack }), weight: 4 },
  { arbitrary: one("ack all", { session }), weight: 4 },
  { arbitrary: one("heartbeat", { session }), weight: 2 },
  { arbitrary: one("half-close", { session }), weight: 1 },
  { arbitrary: one("cut", { session }), weight: 2 },
  { arbitrary: one("stall", { session, on: fc.boolean() }), weight: 4 },
  { arbitrary: one("lag", { session, on: fc.boolean() }), weight: 1 },
  { arbitrary: one("take", { session, count: fc.constantFrom(1, 3, 150) }), weight: 3 },
  { arbitrary: bare("hold"), weight: 2 },
  { arbitrary: bare("release"), weight: 3 },
  { arbitrary: bare("free"), weight: 2 },
  { arbitrary: one("fail", { count: fc.constantFrom(1, 2), after: fc.nat(3) }), weight: 2 },
  { arbitrary: bare("kill"), weight: 2 },
  { arbitrary: bare("drain"), weight: 1 },
  {
    arbitrary: one("clock", { ms: fc.constantFrom(-86_400_000, -3_000, 1_000, 3_600_000) }),
    weight: 2,
  },
  { arbitrary: one("time", { ms: fc.constantFrom(10, 60, 2_500, 6_000, 26_000) }), weight: 5 },
);

const step: fc.Arbitrary<Step> = fc.record({
  what,
  until: fc.constantFrom(...(["rest", "rest", "a tick", "nothing"] as const)),
});

const ask = fc.record({ session, agent, timeoutMs }).map(({ session: nth, ...asked }): Step => {
  const request = { kind: "request", ...asked } as const;
  return {
    what: { do: "send", session: nth, frame: request, ack: undefined, heartbeat: false },
    until: "rest",
  };
});

/** What chance alone would seldom put together: a request whose time is up in a bad moment. */
const unlucky: fc.Arbitrary<Step[]> = fc.oneof(
  fc
    .tuple(ask, fc.constantFrom("kill" as const, "drain" as const))
    .map(([asked, ending]) => [
      asked,
      { what: { do: "clock" as const, ms: -86_400_000 }, until: "rest" as const },
      { what: { do: ending }, until: "rest" as const },
      { what: { do: "time" as const, ms: 10 }, until: "rest" as const },
    ]),
  ask.map((asked) => [
    asked,
    { what: { do: "fail" as const, count: 1, after: 0 }, until: "nothing" as const },
    { what: { do: "time" as const, ms: 26_000 }, until: "rest" as const },
  ]),
  fc
    .record({ asked: ask, session, kind: fc.constantFrom("accept" as const, "reject" as const) })
    .map(({ asked, session: nth, kind }): Step[] => {
      const frame = { kind, channel: 0 };
      const answer = { do: "send" as const, session: nth, frame, ack: undefined, heartbeat: false };
      return [
        asked,
        { what: answer, until: "nothing" },
        { what: { do: "time", ms: 26_000 }, until: "rest" },
      ];
    }),
);

const some: fc.Arbitrary<Step[]> = fc.oneof(
  { arbitrary: step.map((one) => [one]), weight: 30 },
  { arbitrary: unlucky, weight: 1 },
);

/** A few sessions to begin with, then 40 steps or so at most. */
export const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(
      connect.map((first): Step => ({ what: first, until: "rest" })),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    fc.array(some, { maxLength: 40, size: "max" }),
  )
  .map(([first, rest]) => [...first, ...rest.flat()]);
