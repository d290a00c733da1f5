import fc from "fast-check";

/** What keeps a hub from storing: it is full, it cannot even look, or a chat is not accepted yet. */
export type Trouble = "full" | "gone" | "not accepted";

/** What may happen between one client's sending side and a hub. */
export type SenderStep =
  | { do: "say"; chat: 0 | 1; byAgent: boolean }
  /** The hub takes so many of the requests that are on their way to it, in this trouble or none. */
  | { do: "hub"; count: number; trouble?: Trouble | undefined }
  /** So many of its answers get to the client. */
  | { do: "hear"; count: number }
  /** The connection is lost, with all that is on its way, and there is a new one. */
  | { do: "cut" }
  | { do: "give up"; which: number }
  | { do: "wait" };

const few = fc.integer({ min: 1, max: 4 });
const trouble = fc.constantFrom<(Trouble | undefined)[]>("full", "gone", "not accepted", undefined);

/** Answers are heard as seldom as connections are cut: what is looked for lies between those. */
export const senderSteps: fc.Arbitrary<SenderStep[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("say" as const),
        chat: fc.constantFrom<(0 | 1)[]>(0, 0, 0, 1),
        byAgent: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("hub" as const), count: few }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("hub" as const), count: few, trouble }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("hear" as const), count: few }) },
    { weight: 1, arbitrary: fc.constant({ do: "cut" as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("give up" as const), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.constant({ do: "wait" as const }) },
  ),
  { minLength: 4, maxLength: 40 },
);
