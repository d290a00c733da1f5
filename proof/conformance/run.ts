import { randomBytes } from "node:crypto";
import { canMakeSmallDisk, startOwnHub } from "../../conformance/hub/own-hub.ts";
import { PROFILES, type Profile, profileFor } from "../../conformance/hub/own-profiles.ts";
import { runOn } from "../../conformance/hub/run.ts";
import type { Transcript } from "../../conformance/hub/transcript.ts";

const REGISTER = new URL("../patches/register.ts", import.meta.url).href;
/** How long a transcript waits for what a mutant does not send. */
const PATIENCE_MS = 2_000;
/** Those of heartbeats and of expiring keys wait for what a timer of the hub sends. */
const LONG_PATIENCE_MS = 10_000;
const SLOW = /^(?:L3-heartbeats|I2-expired|M8-)/;
/** What a hub says that is not wrong in the one way that was meant, but broken. */
const BROKEN = /INTERNAL: |"INTERNAL"|No connection established|ECONN/;

/** What came of one mutant and the transcripts it is for. */
export interface MutantResult {
  name: string;
  /** Ids of transcripts that failed, as they must. */
  caught: string[];
  /** What is wrong: sentences. */
  problems: string[];
  /** Ids of transcripts that cannot be played here. */
  lacking: string[];
}

/** Plays transcripts against a hub with a seeded bug; each of them must fail. */
export async function runMutant(
  name: string,
  transcripts: readonly Transcript[],
): Promise<MutantResult> {
  const result: MutantResult = { name, caught: [], problems: [], lacking: [] };
  const byProfile = new Map<Profile, Transcript[]>();
  for (const transcript of transcripts) {
    const profile = profileFor(transcript.needs, PROFILES);
    if (profile === undefined) result.problems.push(`${transcript.id}: no hub has what it needs`);
    else byProfile.set(profile, [...(byProfile.get(profile) ?? []), transcript]);
  }
  for (const [profile, mine] of byProfile) {
    if (profile.smallDisk === true && !canMakeSmallDisk()) {
      result.lacking.push(...mine.map(({ id }) => id));
      continue;
    }
    await playOn(profile, mine, result);
  }
  return result;
}

async function playOn(
  profile: Profile,
  transcripts: readonly Transcript[],
  result: MutantResult,
): Promise<void> {
  const run = randomBytes(4).toString("hex");
  const hub = await startOwnHub(profile, {
    run,
    env: { MUTANT: result.name },
    nodeArgs: ["--import", REGISTER],
  });
  const patienceMs = transcripts.some(({ id }) => SLOW.test(id)) ? LONG_PATIENCE_MS : PATIENCE_MS;
  try {
    for (const played of await runOn(hub, transcripts, { run, patienceMs, tell: () => {} })) {
      const { id } = played.transcript;
      if ("missing" in played) result.problems.push(`${id} was not run`);
      else if (played.passed) result.problems.push(`${id} passed`);
      else if (BROKEN.test(played.why)) result.problems.push(`the hub is broken: ${played.why}`);
      else result.caught.push(id);
    }
  } finally {
    await hub.close();
  }
}
