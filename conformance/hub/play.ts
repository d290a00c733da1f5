import type { HubUnderTest } from "./hub-under-test.ts";
import { playCall } from "./play-call.ts";
import { playHub } from "./play-hub.ts";
import { playSession } from "./play-session.ts";
import { checkEnd, openStage, type Stage } from "./stage.ts";
import { HUB_VERBS, type Step, type Transcript } from "./transcript.ts";

/** What came of a transcript. */
export interface Played {
  transcript: Transcript;
  passed: boolean;
  /** What went wrong, and in which line of the transcript. */
  why: string;
  seconds: number;
}

/**
 * Plays a transcript against a hub. Never rejects: what goes wrong is said in `why`.
 * @param of.run makes the names of agents and services those of this run
 */
export async function play(
  transcript: Transcript,
  of: { hub: HubUnderTest; run: string; patienceMs: number },
): Promise<Played> {
  const startedAtMs = performance.now();
  const stage = openStage(transcript, of);
  let line = transcript.line;
  let failure: unknown;
  try {
    if (of.hub.agentKey !== undefined) await introduce(stage, transcript);
    for (const step of transcript.steps) {
      line = step.line;
      await playStep(stage, step);
    }
    await checkEnd(stage);
  } catch (error) {
    failure = error;
  } finally {
    await stage.close();
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  return {
    transcript,
    passed: failure === undefined,
    why: failure === undefined ? "" : `${transcript.file}:${line}: ${message}`,
    seconds: (performance.now() - startedAtMs) / 1000,
  };
}

/** Where credentials are asked for, only those agents exist that have called once (I3). */
async function introduce(stage: Stage, { agents, line }: Transcript): Promise<void> {
  const call = { verb: "calls", value: "ListChannels", options: {}, line } as const;
  await Promise.all(agents.map((subject) => playCall(stage, { ...call, subject })));
}

function playStep(stage: Stage, step: Step): Promise<void> {
  if (HUB_VERBS.includes(step.verb)) return playHub(stage, step);
  return step.verb === "calls" ? playCall(stage, step) : playSession(stage, step);
}
