import fc from "fast-check";
import { expect, test } from "vitest";
import { tryHub } from "./hub-run.js";
import { steps } from "./hub-steps.js";
import { modelRuns, runsTimeoutMs } from "./runs.js";

/*
 * A whole hub in memory: the real shell, core and SQLite, on streams and a store that do as the
 * steps say. What is wrong is found by watching every commit and every response.
 *
 * A counterexample is printed as its list of steps, with a seed and a path:
 *
 *   MODEL_SEED=<seed> MODEL_PATH=<path> npx vitest run test/model/hub.test.ts
 *
 * runs that list alone. MODEL_RUNS=20000 looks longer.
 */

const parameters = modelRuns(0.3);
const seen = new Map<string, number>();

/** Narrow, so that few steps reach the bounds; and as a hub has them. */
const windows = fc.constantFrom(
  { perChannel: 3, total: 5, bytes: 900_000 },
  { perChannel: 1, total: 2, bytes: 500 },
  { perChannel: 256, total: 1024, bytes: 8 * 1024 * 1024 },
);

test(
  "M1 M2 M3 M4 M5 M6 D1 D2 D3 D4 D5 D6 I4 L1 L2 L3 C4: whatever happens, nothing is lost, doubled or out of order",
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, windows, (list, window) => tryHub(list, window, seen)),
      parameters,
    );
  },
  runsTimeoutMs(parameters.numRuns),
);

const DONE = [
  ...["connect", "send", "burst", "resend", "ack", "set aside", "ack all", "heartbeat"],
  ...["half-close", "cut", "stall", "lag", "take", "hold", "release", "free", "fail"],
  ...["kill", "drain", "clock", "time"],
];

test.skipIf(parameters.numRuns < 100 || parameters.path !== undefined)(
  "the runs have done everything there is to do",
  () => {
    expect(DONE.filter((what) => !seen.has(what))).toEqual([]);
  },
);
