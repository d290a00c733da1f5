import fc from "fast-check";

/** What a run of the core does, as data: it prints as it is, and shrinks well. */

export const AGENTS = ["a", "b", "c"] as const;
/** Those, and the admin, who is seldom a member of anything. */
const CALLERS = [...AGENTS, "o"] as const;
const SERVICES = ["s", "t"] as const;

/** Which channel is meant: the nth of those there are, round and round, or one that is none. */
export type Pick = number | "nowhere" | undefined;

/** Who speaks: by name, or the member of the channel that is meant. */
export type By = (typeof CALLERS)[number] | "provider" | "consumer";

/** By name, or the agent that has registered the service. */
export type Owner = (typeof CALLERS)[number] | "owner";

/** What a repeat says otherwise than the first time. */
export type Change = "nothing" | "words" | "replyTo" | "target" | "service" | "provider" | "chat";

export type SaidStep =
  | { kind: "request"; service: string; provider: string; words: string; key: string; ms: number }
  | { kind: "accept" | "reject"; chat: Pick; consumer: string; service: string; words: string }
  | {
      kind: "message";
      chat: Pick;
      service: string;
      target: string;
      words: string;
      replyTo: string;
      key: string;
      trace: string;
    }
  | { kind: "end"; chat: Pick; words: string };

export type Step =
  | { do: "say"; by: By; said: SaidStep }
  /** An earlier frame once more: with another trace, or with something else in one field. */
  | { do: "again"; nth: number; trace: string; change: Change }
  | {
      do: "register";
      by: By;
      service: string;
      auto: boolean;
      most: number;
      allowed: readonly string[];
    }
  | { do: "unregister"; by: Owner; service: string }
  /** Positions so many entries before the end of the channel; beyond it where negative. */
  | { do: "ack"; by: By; acks: { chat: Pick; back: number }[] }
  | { do: "expire"; chat: number }
  | { do: "clock"; ms: number }
  | {
      do: "history";
      by: By;
      chat: Pick;
      service: string;
      before: number;
      after: number;
      limit: number;
    }
  /** Pages of channels, each of so many. */
  | { do: "channels"; by: By; whose: string; size: number }
  | { do: "services"; by: By };

/** Steps of one transaction; where it fails, nothing of them is stored. */
export interface Turn {
  steps: Step[];
  fails: boolean;
}

const agent = fc.constantFrom(...AGENTS);
const caller: fc.Arbitrary<By> = fc.oneof(
  { arbitrary: agent, weight: 3 },
  { arbitrary: fc.constant("o" as const), weight: 1 },
);
const service = fc.constantFrom(...SERVICES);
const nth = fc.nat(9);
/** Mostly absent, where leaving out is the usual thing. */
const rarely = (text: fc.Arbitrary<string>) =>
  fc.oneof({ arbitrary: fc.constant(""), weight: 4 }, { arbitrary: text, weight: 1 });
const words = fc.constantFrom("x", "y");
const chat: fc.Arbitrary<Pick> = fc.oneof(
  { arbitrary: nth, weight: 12 },
  { arbitrary: fc.constant("nowhere" as const), weight: 1 },
);
const member: fc.Arbitrary<By> = fc.oneof(
  { arbitrary: fc.constantFrom("provider" as const, "consumer" as const), weight: 5 },
  { arbitrary: fc.constantFrom(...CALLERS), weight: 2 },
);
const provider: fc.Arbitrary<By> = fc.oneof(
  { arbitrary: fc.constant("provider" as const), weight: 5 },
  { arbitrary: agent, weight: 1 },
);

const request: fc.Arbitrary<SaidStep> = fc
  .record({
    kind: fc.constant("request" as const),
    service: rarely(service),
    provider: rarely(agent),
    words,
    key: fc.constantFrom("", "", "k1", "k2"),
    ms: fc.constantFrom(1, 5_000, 300_000),
  })
  .chain((said) =>
    said.service === "" && said.provider === ""
      ? fc.tuple(service, agent, fc.boolean()).map(([s, p, direct]) => ({
          ...said,
          ...(direct ? { provider: p } : { service: s }),
        }))
      : fc.constant(said),
  );

const message = fc.record({
  kind: fc.constant("message" as const),
  chat: fc.constant(undefined as Pick),
  service: fc.constant(""),
  target: fc.constant(""),
  words,
  replyTo: rarely(fc.constant("r")),
  key: rarely(fc.constantFrom("m1", "m2", "m3")),
  trace: fc.constant(""),
});

const answer = fc.record({
  kind: fc.constantFrom("accept" as const, "reject" as const),
  chat,
  consumer: rarely(agent),
  service: rarely(service),
  words,
});

const say: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant("say" as const), by: agent, said: request }),
  fc.record({ do: fc.constant("say" as const), by: provider, said: answer }),
  fc.record({
    do: fc.constant("say" as const),
    by: agent,
    said: fc
      .record({ said: answer, consumer: agent })
      .map(({ said, consumer }) => ({ ...said, chat: undefined, consumer })),
  }),
  fc.record({
    do: fc.constant("say" as const),
    by: member,
    said: fc
      .record({ said: message, chat, service: rarely(service), target: rarely(agent) })
      .map(({ said, ...address }) => ({ ...said, ...address })),
  }),
  fc.record({
    do: fc.constant("say" as const),
    by: agent,
    said: fc
      .record({ said: message, service, target: rarely(agent) })
      .map(({ said, ...address }) => ({ ...said, ...address })),
  }),
  fc.record({
    do: fc.constant("say" as const),
    by: agent,
    said: fc.record({ said: message, target: agent }).map(({ said, target }) => ({
      ...said,
      target,
    })),
  }),
  fc.record({
    do: fc.constant("say" as const),
    by: member,
    said: fc.record({ kind: fc.constant("end" as const), chat, words }),
  }),
];

const others: fc.Arbitrary<Step>[] = [
  fc.record({
    do: fc.constant("again" as const),
    nth: fc.nat(99),
    trace: fc.constantFrom("", "t"),
    change: fc.oneof(
      { arbitrary: fc.constant("nothing" as const), weight: 2 },
      {
        arbitrary: fc.constantFrom(
          ...(["words", "replyTo", "target", "service", "provider", "chat"] as const),
        ),
        weight: 1,
      },
    ),
  }),
  fc.record({
    do: fc.constant("register" as const),
    by: agent,
    service,
    auto: fc.boolean(),
    most: fc.constantFrom(0, 0, 1, 2),
    allowed: fc.constantFrom([], [], ["a"], ["c*"], ["x", "b"], ["*"]),
  }),
  fc.record({
    do: fc.constant("unregister" as const),
    by: fc.oneof(
      { arbitrary: fc.constant("owner" as const), weight: 3 },
      { arbitrary: agent, weight: 1 },
    ),
    service,
  }),
  fc.record({
    do: fc.constant("ack" as const),
    by: member,
    acks: fc.array(fc.record({ chat, back: fc.integer({ min: -1, max: 4 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({ do: fc.constant("expire" as const), chat: nth }),
  fc.record({ do: fc.constant("clock" as const), ms: fc.integer({ min: -9_000, max: 9_000 }) }),
  fc.record({
    do: fc.constant("history" as const),
    by: member,
    chat: fc.option(chat, { nil: undefined }),
    service,
    before: fc.constantFrom(0, 0, 2, 4, 7),
    after: fc.constantFrom(0, 0, 1, 3),
    limit: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    do: fc.constant("channels" as const),
    by: caller,
    whose: fc.constantFrom("", "", "*", "a", "c", "o"),
    size: fc.constantFrom(1, 3, 50),
  }),
  fc.record({ do: fc.constant("services" as const), by: caller }),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  ...say.map((arbitrary) => ({ arbitrary, weight: 3 })),
  ...others.map((arbitrary) => ({ arbitrary, weight: 2 })),
);

/** Up to 20 transactions of up to four steps. */
export const turns: fc.Arbitrary<Turn[]> = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    fails: fc.nat(9).map((dice) => dice === 9),
  }),
  { maxLength: 20, size: "max" },
);
