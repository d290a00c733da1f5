import type { Need } from "./needs.ts";
import { canMakeSmallDisk, startOwnHub } from "./own-hub.ts";
import { PROFILES, type Profile, profileFor } from "./own-profiles.ts";
import { type Result, runOn } from "./run.ts";
import type { Transcript } from "./transcript.ts";

/**
 * Plays transcripts on hubs of this repository, each kind of which is started once; all at the
 * same time.
 */
export async function runOnOwn(
  transcripts: readonly Transcript[],
  of: { run: string; patienceMs: number; tell: (result: Result) => void },
): Promise<Result[]> {
  const here = PROFILES.filter(({ smallDisk }) => smallDisk !== true || canMakeSmallDisk());
  const lacking = transcripts
    .filter(({ needs }) => profileFor(needs, here) === undefined)
    .map((transcript) => ({ transcript, missing: missingIn(transcript.needs, here) }));
  for (const result of lacking) of.tell(result);
  const results = await Promise.all(
    here.map(async (profile) => {
      const mine = transcripts.filter(({ needs }) => profileFor(needs, here) === profile);
      if (mine.length === 0) return [];
      const hub = await startOwnHub(profile, of);
      try {
        return await runOn(hub, mine, of);
      } finally {
        await hub.close();
      }
    }),
  );
  return [...lacking, ...results.flat()];
}

/** What none of the runner's own hubs has; all of it where only the combination is missing. */
function missingIn(needs: readonly Need[], here: readonly Profile[]): Need[] {
  const nowhere = needs.filter((need) => !here.some(({ has }) => has.includes(need)));
  return nowhere.length > 0 ? nowhere : [...needs];
}
