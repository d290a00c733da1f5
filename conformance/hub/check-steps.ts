import type { Problem } from "./check-transcript.ts";
import { isObject, METHODS, methodOf, unknownFields } from "./contract.ts";
import { actionOf, isVerb, reasonOf } from "./read-step.ts";
import { REFUSALS } from "./rules.ts";
import { HUB_VERBS, VERBS, type Verb } from "./transcript.ts";
import { variablesIn } from "./values.ts";

type Path = (string | number)[];

/** What is wrong with the steps of a transcript whose other keys are in order. */
export function checkSteps(steps: unknown[], header: Record<string, unknown>): Problem[] {
  const agents = (header.agents ?? []) as string[];
  const known = new Set([...agents, ...((header.services ?? []) as string[])]);
  return steps.flatMap((step, index) => checkStep(step, ["steps", index], agents, known));
}

/** @param known names that have a value by now; the step adds those it gives one */
function checkStep(step: unknown, path: Path, agents: string[], known: Set<string>): Problem[] {
  const bad = (what: string, ...at: Path) => [{ path: [...path, ...at], what }];
  if (!isObject(step)) return bad("a step is a mapping such as `alice sends: {…}`");
  const actions = Object.keys(step).filter((key) => actionOf(key) !== undefined);
  const [key = "", another] = actions;
  const { subject = "", verb = "" } = actionOf(key) ?? {};
  if (actions.length === 0 || another !== undefined) {
    return bad("a step has one key of a subject and a verb, such as `alice sends`");
  }
  if (!isVerb(verb)) return bad(`nobody ${verb}; there are ${Object.keys(VERBS).join(", ")}`, key);
  const isHub = subject === "hub";
  if (isHub !== HUB_VERBS.includes(verb)) return bad(`${subject} cannot do this: ${verb}`, key);
  const agent = subject.split("/")[0] ?? "";
  if (!isHub && agent !== "admin" && !agents.includes(agent)) {
    return bad(`${agent} is not among the agents`, key);
  }
  const { [key]: value, ...options } = step;
  const allowed: readonly string[] = VERBS[verb];
  const extra = Object.keys(options).find((option) => !allowed.includes(option));
  if (extra !== undefined) {
    return bad(`unknown key ${extra}; beside ${verb} there may be ${allowed.join(", ")}`, extra);
  }
  const problems = checkValue(verb, value, options, path, key);
  if (problems.length > 0) return problems;
  return checkVariables(verb, value, options, [...path, key], known);
}

function checkValue(
  verb: Verb,
  value: unknown,
  options: Record<string, unknown>,
  path: Path,
  key: string,
): Problem[] {
  const fields = (message: "request" | "response", method: string, json: unknown, at: Path) =>
    unknownFields(methodOf(method)[message], json).map((field) => ({
      path: [...path, ...at, ...field],
      what: `there is no field ${field.join(".")}`,
    }));
  const each = (json: unknown, check: (item: unknown, at: Path) => Problem[], at: Path) =>
    Array.isArray(json)
      ? json.flatMap((item, index) => check(item, [...at, index]))
      : check(json, at);
  const refusals = (one: unknown, at: Path): Problem[] => {
    const reason = reasonOf(one);
    return one === undefined || REFUSALS.has(String(reason))
      ? []
      : [{ path: [...path, ...at], what: `there is no refusal ${reason}` }];
  };
  const answers = Array.isArray(options.answers) ? options.answers : [];
  const problems = [
    ...refusals(options.refused, ["refused"]),
    ...answers.flatMap((one, index) =>
      isObject(one) ? refusals(one.refused, ["answers", index]) : [],
    ),
  ];
  if (verb === "sends") {
    problems.push(...each(value, (one, at) => fields("request", "Connect", one, at), [key]));
  } else if (verb === "gets") {
    problems.push(...each(value, (one, at) => fields("response", "Connect", one, at), [key]));
  } else if (verb === "calls") {
    if (!METHODS.has(String(value))) {
      return [{ path: [...path, key], what: `there is no call ${value}` }];
    }
    problems.push(
      ...fields("request", String(value), options.with, ["with"]),
      ...fields("response", String(value), options.returns, ["returns"]),
    );
  }
  return problems;
}

/** What a step sends must have a value by then; what it expects may give one. */
function checkVariables(
  verb: Verb,
  value: unknown,
  options: Record<string, unknown>,
  path: Path,
  known: Set<string>,
): Problem[] {
  const isPattern = verb === "gets" || verb === "ends" || verb === "is answered";
  const said = [isPattern ? undefined : value, options.with, options.key, options.agent];
  const unknown = variablesIn(said).find((name) => !known.has(name));
  if (unknown !== undefined) return [{ path, what: `$${unknown} has no value by then` }];
  const { started, receipt, page, refused, answers, returns } = options;
  const patterns = [isPattern ? value : [], started, receipt, page, refused, answers, returns];
  for (const name of variablesIn(patterns)) known.add(name);
  if (typeof options.as === "string") known.add(options.as).add(`${options.as}-id`);
  return [];
}
