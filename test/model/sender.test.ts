import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { modelRuns, runsTimeoutMs } from "./runs.js";
import { trySender } from "./sender-run.js";
import { senderSteps } from "./sender-steps.js";

/*
 * What one client sends, over cuts and refusals, against a hub of a few lines.
 *
 * A counterexample is printed as its list of steps, with a seed and a path:
 *
 *   MODEL_SEED=<seed> MODEL_PATH=<path> npx vitest run test/model/sender.test.ts
 *
 * runs that list alone. MODEL_RUNS=20000 looks longer.
 */

// They cost little, and its bugs are rare.
const parameters = modelRuns(5);
const seen = new Map<string, number>();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test(
  "M2 M4: whatever is refused, cut and given up, messages are stored once, in the order of the calls",
  async () => {
    const advance = (ms: number) => vi.advanceTimersByTimeAsync(ms);
    await fc.assert(
      fc.asyncProperty(senderSteps, (steps) => trySender(steps, advance, seen)),
      parameters,
    );
  },
  runsTimeoutMs(parameters.numRuns),
);

const DONE = [
  ...["say", "hub", "hear", "cut", "give up", "wait"],
  ...["stored", "repeated", "OVERTAKEN", "STORAGE_FULL", "CHAT_NOT_ACCEPTED", "ABORTED_BY_CALLER"],
];

test.skipIf(parameters.numRuns < 300 || parameters.path !== undefined)(
  "the runs have met everything that can happen",
  () => {
    expect(DONE.filter((what) => !seen.has(what))).toEqual([]);
  },
);
