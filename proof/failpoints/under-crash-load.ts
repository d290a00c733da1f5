import { runCrash } from "../crash/run-crash.ts";
import { awaitSelfKill, type Strike, strikeAtRandom } from "../crash/strike.ts";
import { armedHub, type Kills, type Load } from "./round.ts";

/** Some places are passed only now and then, so a hub has its time until it is killed from outside. */
const WITHIN_MS = 30_000;

/** The load of `proof/crash`, and its checker in the end. */
export const underCrashLoad: Load = (of) => run(of, awaitSelfKill(WITHIN_MS));

/** The same with SIGTERM under load, so that the hub ends itself somewhere on its way out. */
export const inDrain: Load = (of) =>
  run(of, async (target) => {
    await target.receipts(target.random.int(100, 250));
    target.hub.child.kill("SIGTERM");
    return awaitSelfKill(WITHIN_MS)(target);
  });

/** What clients come back to: a hub before is killed as `proof/crash` does, and is not counted. */
export const whenComingBack: Load = (of) => run(of, awaitSelfKill(WITHIN_MS), 1);

async function run({ failpoint, kills, random }: Kills, strike: Strike, livesBefore = 0) {
  let life = 0;
  let unreached = 0;
  const result = await runCrash({
    kills: livesBefore + kills,
    seed: random.int(0, 2 ** 31 - 1),
    async strike(target) {
      life += 1;
      if (life <= livesBefore) return strikeAtRandom("SIGKILL")(target);
      const struck = await strike(target);
      const { signal } = await target.hub.ended;
      // After SIGTERM a hub may also have gone the whole way.
      if (struck.fallback === true || signal !== "SIGKILL") unreached += 1;
      return struck;
    },
    hub: (number) =>
      number >= livesBefore && number < livesBefore + kills ? armedHub(failpoint, random) : {},
    endsItself: true,
  });
  const { figures, counts, sentences } = result;
  return { kills, unreached, acked: figures.acked, counts, sentences };
}
