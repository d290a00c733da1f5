import fc from "fast-check";
import { expect, test } from "vitest";
import { compareCore, type Seen } from "./core-run.js";
import { turns } from "./core-steps.js";
import { modelRuns, runsTimeoutMs } from "./runs.js";

/*
 * Random conversations with the core on a real store, compared with a model in plain arrays.
 *
 * A counterexample is printed as its list of transactions, with a seed and a path:
 *
 *   MODEL_SEED=<seed> MODEL_PATH=<path> npx vitest run test/model/core.test.ts
 *
 * runs that list alone. MODEL_RUNS=20000 looks longer.
 */

const parameters = modelRuns(0.7);
const seen: Seen = new Map();

test(
  "C1 C2 C3 C4 C5 C6 C7 I3 S1 S2 S3 A1 A2 A3 M2 M3 M6 D2: whatever is said, the core does what the rules say",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        turns,
        fc.record({
          directChats: fc.nat(4).map((n) => n > 0),
          maxPending: fc.constantFrom(100, 2),
          maxChannels: fc.constantFrom(0, 0, 2),
          known: fc.constantFrom(undefined, undefined, ["a", "o"]),
        }),
        (steps, rules) => compareCore(steps, rules, seen),
      ),
      parameters,
    );
  },
  runsTimeoutMs(parameters.numRuns),
);

/** What few runs may well miss. */
const RARE = ["AMBIGUOUS", "ALREADY_ANSWERED", "TOO_MANY_PENDING", "BUSY", "ended by an admin"];

/** What the runs must have met, or they have shown nothing about it. */
const MET = [
  ...["request", "accept", "reject", "message", "end"].flatMap((kind) => [
    `stored ${kind}`,
    `duplicate ${kind}`,
  ]),
  ...["expired", "not expired", "turn fails", "page"],
  ...["ADDRESS_CONFLICT", "CHANNEL_ENDED", "SERVICE_TAKEN"],
  ...["CHANNEL_NOT_FOUND", "CHAT_NOT_ACCEPTED", "DIRECT_CHATS_DISABLED", "IDEMPOTENCY_KEY_REUSED"],
  ...["MESSAGE_ID_REUSED", "NOT_PROVIDER", "POSITION_AHEAD", "SELF_CHAT", "SERVICE_NOT_FOUND"],
  ...["AGENT_NOT_FOUND", "TOO_MANY_CHANNELS", "NOT_ADMIN", "hidden service"],
  ...["page for an admin", "channels for an admin"],
  ...(parameters.numRuns < 3_000 ? [] : RARE),
];

test.skipIf(parameters.numRuns < 300 || parameters.path !== undefined)(
  "the runs have met every outcome there is",
  () => {
    expect(MET.filter((what) => !seen.has(what))).toEqual([]);
  },
);
