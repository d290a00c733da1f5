import type { HubUnderTest } from "./hub-under-test.ts";
import { isAlone, type Need } from "./needs.ts";
import { type Played, play } from "./play.ts";
import type { Transcript } from "./transcript.ts";

/** How many transcripts are played on a hub at a time. */
const AT_A_TIME = 8;

/** What came of a transcript: it was played, or the hub has not what it needs. */
export type Result = Played | { transcript: Transcript; missing: Need[] };

/**
 * Plays transcripts on a hub: those that disturb others alone and last, the others several at a
 * time.
 * @param of.tell told of each when it is over
 */
export async function runOn(
  hub: HubUnderTest,
  transcripts: readonly Transcript[],
  of: { run: string; patienceMs: number; tell: (result: Result) => void },
): Promise<Result[]> {
  const results: Result[] = [];
  const one = async (transcript: Transcript) => {
    const missing = transcript.needs.filter((need) => !hub.has.has(need));
    const result =
      missing.length > 0
        ? { transcript, missing }
        : await play(transcript, { hub, run: of.run, patienceMs: of.patienceMs });
    results.push(result);
    of.tell(result);
  };
  const together = transcripts.filter(({ needs }) => !isAlone(needs));
  const queue = together.values();
  const worker = async () => {
    for (const transcript of queue) await one(transcript);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  for (const transcript of transcripts.filter(({ needs }) => isAlone(needs))) await one(transcript);
  return results;
}
