import { checkSteps } from "./check-steps.ts";
import { isNeed, NEEDS } from "./needs.ts";
import { RULES } from "./rules.ts";

/** What is wrong with a transcript, and where in it. */
export interface Problem {
  path: (string | number)[];
  what: string;
}

const KEYS = ["id", "title", "rules", "needs", "agents", "services", "steps"];
const ID = /^[A-Z]\d{1,2}(?:-[a-z0-9]+)+$/;
const NAME = /^[a-z][a-z0-9-]*$/;
/** Subjects that nobody may be called. */
const RESERVED = ["hub", "admin"];

/** Everything that is wrong with a transcript as it is written. */
export function problemsIn(json: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  const add = (path: (string | number)[], what: string) => problems.push({ path, what });
  for (const key of Object.keys(json)) {
    if (!KEYS.includes(key)) add([key], `unknown key ${key}; there are ${KEYS.join(", ")}`);
  }
  if (typeof json.id !== "string" || !ID.test(json.id)) {
    add(["id"], "id begins with a rule's id and goes on in small letters: M2-a-repeat");
  }
  if (typeof json.title !== "string" || json.title === "") add(["title"], "title is a sentence");
  const list = (key: string, isGood: (text: string) => boolean, what: string) => {
    const items = json[key] ?? [];
    if (!Array.isArray(items)) return add([key], `${key} is a list`);
    for (const [index, item] of items.entries()) {
      if (typeof item !== "string" || !isGood(item)) add([key, index], `${item} ${what}`);
    }
  };
  list("rules", (id) => RULES.includes(id), "is no rule of docs/protocol.md");
  if (!Array.isArray(json.rules) || json.rules.length === 0) {
    add(["rules"], "rules names at least one rule of docs/protocol.md");
  } else if (!String(json.id).startsWith(`${json.rules[0]}-`)) {
    add(["id"], `id begins with the first rule, ${json.rules[0]}-`);
  }
  list("needs", isNeed, `is no need; there are ${Object.keys(NEEDS).join(", ")}`);
  const isName = (text: string) => NAME.test(text) && !RESERVED.includes(text);
  list("agents", isName, `is no name: small letters, digits and -, and not ${RESERVED.join(", ")}`);
  list("services", isName, "is no name: small letters, digits and -");
  if (!Array.isArray(json.steps) || json.steps.length === 0) {
    add(["steps"], "steps is a list of steps");
  } else if (problems.length === 0) {
    problems.push(...checkSteps(json.steps, json));
  }
  return problems;
}
