import { isObject } from "./contract.ts";
import { REFUSALS } from "./rules.ts";
import { type Step, VERBS, type Verb } from "./transcript.ts";

/** `alice sends`, `alice/2 half-closes`, `hub restarts`: a subject and a verb. */
const ACTION = /^([a-z][\w-]*(?:\/\d+)?) ([a-z][a-z -]*)$/;

/** The subject and the verb of a key, where it is of that form. */
export function actionOf(key: string): { subject: string; verb: string } | undefined {
  const [, subject, verb] = ACTION.exec(key) ?? [];
  return subject === undefined || verb === undefined ? undefined : { subject, verb };
}

/** Whether there is such a verb. */
export function isVerb(text: string): text is Verb {
  return Object.hasOwn(VERBS, text);
}

/** A step as it is written, which was found in order. */
export function stepOf(written: Record<string, unknown>, line: number): Step {
  const entries = Object.entries(written);
  const [key = "", value] = entries.find(([name]) => actionOf(name) !== undefined) ?? [];
  const { subject = "", verb = "" } = actionOf(key) ?? {};
  if (!isVerb(verb)) throw new Error(`no verb in ${key}`);
  const options = Object.fromEntries(entries.filter(([name]) => name !== key));
  return { subject, verb, value, options, line };
}

/** The refusals that a step expects: under `refused`, and as the reason of an end or a go_away. */
export function refusalsIn({ verb, value, options }: Step): string[] {
  const answers = Array.isArray(options.answers) ? options.answers : [];
  const expected = [options, ...answers].flatMap((one) => (isObject(one) ? [one.refused] : []));
  const patterns = ["gets", "ends", "is answered"].includes(verb) ? [value].flat() : [];
  const reasons = patterns.flatMap((one) => {
    if (!isObject(one)) return [];
    return [one.reason, one.refused, isObject(one.goAway) ? one.goAway.reason : undefined];
  });
  return [...expected.map(reasonOf), ...reasons].filter(
    (one): one is string => typeof one === "string" && REFUSALS.has(one),
  );
}

/** `CHANNEL_ENDED`, or the same in `{ reason: CHANNEL_ENDED, message: … }`. */
export function reasonOf(refused: unknown): unknown {
  return isObject(refused) ? refused.reason : refused;
}
