import { setTimeout } from "node:timers/promises";
import { watchReturns } from "../crash/returns.ts";
import { type CrashResult, runCrash } from "../crash/run-crash.ts";
import { strikeAtRandom } from "../crash/strike.ts";
import { largestShare } from "./histogram.ts";
import { rollingCast } from "./rolling-cast.ts";
import { endStalledHub } from "./stalled-drain.ts";

/** What a rolling run showed. `sentences` has what was not as promised. */
export interface RollingResult extends CrashResult {
  /** Hubs that ended with exit code 0. */
  exit0: number;
  /** How long the hub told its clients to stay away. */
  plannedMs: number[];
  /** When clients had a session again, after the first of them had. */
  returnsMs: number[];
  /** From SIGTERM to the end of a hub with a stalled reader. */
  stalledStopMs: number;
  /** The same where a second signal followed. */
  secondSignalStopMs: number;
}

/** The promise (L2). */
const STOP_WITHIN_MS = 10_000;
/** How long it may take until everybody is back: they try at least every 10 s. */
const BACK_WITHIN_MS = 60_000;
/** With fewer clients it says nothing how many of them return in the same 100 ms. */
const ENOUGH_CLIENTS = 100;
const LARGEST_SHARE = 0.5;
/** A hub waits for its sessions this long, or longer. */
const STALLED_AT_LEAST_MS = 3_000;
/** What 128 and the number of SIGINT make. */
const ENDED_BY_SIGINT = 130;

/** Restarts a hub by SIGTERM under the load of many clients of the package. */
export async function runRolling(of: {
  restarts: number;
  clients: number;
  /** Also ends hubs that a stalled reader keeps waiting; otherwise their times are 0. */
  withStalled: boolean;
  seed: number;
  progress: (sentence: string) => void;
}): Promise<RollingResult> {
  const { restarts, clients, seed, progress } = of;
  const returns = watchReturns();
  const sendAway = strikeAtRandom("SIGTERM");
  const wrong: string[] = [];
  let exit0 = 0;

  const result = await runCrash({
    ...{ kills: restarts, seed, progress },
    cast: rollingCast(clients),
    onWord: returns.hear,
    async strike(target) {
      const late = Symbol();
      const back = await Promise.race([
        returns.all(clients),
        setTimeout(BACK_WITHIN_MS, late, { ref: false }),
      ]);
      if (back === late) wrong.push(`not all clients were back within ${BACK_WITHIN_MS} ms`);
      const struck = await sendAway(target);
      returns.gone();
      if (struck.wrong === undefined) exit0 += 1;
      return struck;
    },
  });

  const slowestMs = Math.max(...result.stopMs);
  if (slowestMs > STOP_WITHIN_MS) wrong.push(`a hub took ${slowestMs} ms to end`);
  const plannedMs = returns.plannedMs();
  const returnsMs = returns.returnsMs();
  if (clients >= ENOUGH_CLIENTS) {
    for (const [what, times] of Object.entries({ plannedMs, returnsMs })) {
      const share = largestShare(times);
      if (share > LARGEST_SHARE) wrong.push(`${what}: ${share} of all lie within 100 ms`);
    }
  }
  const stalled = { stalledStopMs: 0, secondSignalStopMs: 0 };
  if (of.withStalled) {
    progress("a hub with a stalled reader");
    Object.assign(stalled, await endStalledHubs(wrong));
  }
  return {
    ...result,
    sentences: [...result.sentences, ...wrong],
    ...{ exit0, plannedMs, returnsMs },
    ...stalled,
  };
}

/** Ends one hub by a signal and one by two, and notes what was not as promised. */
async function endStalledHubs(wrong: string[]) {
  const once = await endStalledHub(undefined);
  if (once.code !== 0 || once.stopMs > STOP_WITHIN_MS) {
    wrong.push(`with a stalled reader: ${JSON.stringify(once)}`);
  }
  // Otherwise the second signal would have nothing to cut short.
  if (once.stopMs < STALLED_AT_LEAST_MS) {
    wrong.push(`proved nothing: the stalled reader held the hub for ${once.stopMs} ms only`);
  }
  const twice = await endStalledHub("SIGINT");
  if (twice.code !== ENDED_BY_SIGINT) {
    wrong.push(`after a second signal: ${JSON.stringify(twice)}`);
  }
  return { stalledStopMs: once.stopMs, secondSignalStopMs: twice.stopMs };
}
