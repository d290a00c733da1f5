import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { JsonObject, JsonValue } from "./contract.ts";
import { type StepName, stepNames } from "./steps.ts";

/** One thing to do or to wait for. */
export interface Step {
  name: StepName;
  argument: JsonValue;
  /** What a frame is called in later steps. */
  as: string | undefined;
  /** The sentence that a failure of this step begins with. */
  because: string | undefined;
}

/** What happens to a client, and what it must do. */
export interface Scenario {
  name: string;
  /** What a client must do, in a sentence. */
  must: string;
  /** Rules of docs/protocol.md: ids, or the words that begin a paragraph about clients. */
  rules: string[];
  /** More environment for the client. */
  env: Record<string, string>;
  steps: Step[];
}

const FOLDER = new URL("scenarios/", import.meta.url);
const KEYS = ["must", "rules", "env", "steps"];
/** Where a scenario needs much to send. */
const BIG = "x".repeat(64 * 1024);

/** Every scenario, by name. @throws Error that names the file and what is wrong in it */
export function loadScenarios(): Scenario[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => {
      try {
        const name = file.replace(".yaml", "");
        return scenarioOf(name, parse(readFileSync(new URL(file, FOLDER), "utf8")));
      } catch (error) {
        throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
      }
    });
}

function scenarioOf(name: string, read: JsonObject): Scenario {
  const odd = Object.keys(read).find((key) => !KEYS.includes(key));
  if (odd !== undefined) throw new Error(`${odd} is none of ${KEYS.join(", ")}`);
  const { must, rules, env = {}, steps } = read;
  if (typeof must !== "string") throw new Error("must is missing: what a client must do");
  if (!Array.isArray(rules) || rules.length === 0) throw new Error("rules are missing");
  if (!Array.isArray(steps) || steps.length === 0) throw new Error("steps are missing");
  return {
    ...{ name, must: must.trim(), rules: rules.map(String) },
    env: env as Record<string, string>,
    steps: steps.flatMap((step) => stepsOf(step as JsonObject)),
  };
}

function stepsOf(read: JsonObject): Step[] {
  const { as, because, times, ...rest } = read;
  const names = Object.keys(rest);
  const [name] = names;
  if (names.length !== 1 || name === undefined) {
    throw new Error(`a step does one thing, not ${names.length}: ${JSON.stringify(read)}`);
  }
  if (name === "repeat" && Array.isArray(rest.repeat)) {
    const inner = rest.repeat as JsonObject[];
    return Array.from({ length: Number(times) }, (_, index) =>
      inner.flatMap((step) => stepsOf(filledIn(step, String(index + 1)) as JsonObject)),
    ).flat();
  }
  if (!isStepName(name)) throw new Error(`there is no step ${name}; use ${stepNames.join(", ")}`);
  const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : undefined);
  const argument = filledIn(rest[name] ?? null, "");
  return [{ name, argument, as: text(as), because: text(because) }];
}

/** `$n` is the number of the repetition, `$64k` a text of 64 KiB. */
function filledIn(value: JsonValue, number: string): JsonValue {
  if (typeof value === "string") {
    const text = number === "" ? value : value.replaceAll("$n", number);
    return text.replaceAll("$64k", BIG);
  }
  if (Array.isArray(value)) return value.map((one) => filledIn(one, number));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, filledIn(one, number)]),
  );
}

function isStepName(name: string): name is StepName {
  return (stepNames as string[]).includes(name);
}
