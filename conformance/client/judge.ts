import { inShort } from "./json-match.ts";
import type { Scenario } from "./scenario.ts";
import { type Stage, setStage } from "./stage.ts";
import { takeStep } from "./steps.ts";
import { Fault } from "./watch.ts";

/** What came of one scenario. */
export interface Verdict {
  scenario: string;
  passed: boolean;
  /** What was wrong, where it has not passed. */
  sentence?: string;
  /** The end of what the client wrote to standard error, where it has not passed. */
  complaints?: string;
  ms: number;
}

/** How long one thing is waited for, unless the caller says otherwise. */
export const PATIENCE_MS = 30_000;

/**
 * Plays a scenario to a client.
 * @param command the program and its words
 * @throws Error where the scenario itself is wrong, or the program cannot be started
 */
export async function judgeClient(
  scenario: Scenario,
  command: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<Verdict> {
  const begunMs = performance.now();
  const stage = await setStage(scenario, command, patienceMs);
  try {
    const sentence = await sentenceOn(stage, scenario);
    const verdict = { scenario: scenario.name, ms: Math.round(performance.now() - begunMs) };
    if (sentence === undefined) return { ...verdict, passed: true };
    return { ...verdict, passed: false, sentence, complaints: stage.program.complaints };
  } finally {
    await stage.close();
  }
}

async function sentenceOn(stage: Stage, scenario: Scenario): Promise<string | undefined> {
  let because: string | undefined;
  try {
    for (const step of scenario.steps) {
      because = step.because;
      await takeStep(stage, step);
    }
    because = undefined;
    await leave(stage);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `${because ?? scenario.must} But ${error.message}.`;
  }
}

/** A driver ends when nobody has instructions any more; nothing may be left over. */
async function leave(stage: Stage): Promise<void> {
  const { watch, program } = stage;
  program.hangUp();
  await watch.until("its end, once its standard input had ended", () => stage.exit);
  stage.ledger.finish();
  watch.check();
  if (stage.sessions.length > 0) throw new Fault("it opened one session more");
  const frame = stage.current?.frames[0];
  if (frame) throw new Fault(`it also sent ${inShort({ [frame.kind]: frame.value })}`);
  const [event] = stage.events;
  if (event) throw new Fault(`it also told its application ${inShort(event)}`);
}
