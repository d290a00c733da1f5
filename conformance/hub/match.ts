import { isObject } from "./contract.ts";
import { filled, type Variables, variableIn } from "./values.ts";

/** What came of a comparison: what differs, or the variables that got a value. */
export type Match = { differs: string } | { bound: Variables };

/**
 * Compares what came with a pattern. Fields that the pattern does not name may be anything; lists
 * must be as long and in the same order. A variable without a value takes the one that came.
 * `null` says that the field is empty, `{ $any: true }` that it is not, `{ $between: [a, b] }`
 * that a number, or a duration in seconds, lies there, and `{ $text: n }` stands for a long text.
 */
export function match(pattern: unknown, actual: unknown, variables: Variables): Match {
  const bound: Variables = new Map();
  const differs = compare(pattern, actual, variables, bound, "");
  return differs === undefined ? { bound } : { differs };
}

function compare(
  pattern: unknown,
  actual: unknown,
  variables: Variables,
  bound: Variables,
  path: string,
): string | undefined {
  const again = (inner: unknown, value: unknown, at: string) =>
    compare(inner, value, variables, bound, at);
  const says = (expected: string) => `${path || "it"} is ${show(actual)} and not ${expected}`;
  const name = variableIn(pattern);
  if (name !== undefined) {
    const known = bound.get(name) ?? variables.get(name);
    if (known !== undefined) return again(known, actual, path);
    if (isEmpty(actual)) return says(`filled, for $${name}`);
    bound.set(name, actual);
    return undefined;
  }
  if (pattern === null) return isEmpty(actual) ? undefined : says("empty");
  if (Array.isArray(pattern)) {
    if (!Array.isArray(actual)) return says("a list");
    if (actual.length !== pattern.length) return says(`a list of ${pattern.length}`);
    return first(pattern.map((item, index) => again(item, actual[index], `${path}[${index}]`)));
  }
  if (isObject(pattern)) {
    if ("$any" in pattern) return isEmpty(actual) ? says("filled") : undefined;
    if ("$between" in pattern)
      return isBetween(pattern.$between, actual) ? undefined : says(show(pattern));
    if ("$text" in pattern) return again(filled(pattern, variables), actual, path);
    if (!isObject(actual)) return says(show(pattern));
    const keys = Object.entries(pattern);
    return first(
      keys.map(([key, item]) => again(item, actual[key], path ? `${path}.${key}` : key)),
    );
  }
  const expected = typeof pattern === "string" ? filled(pattern, variables) : pattern;
  // 64-bit numbers are texts in JSON.
  const isSame =
    expected === actual || (typeof expected === "number" && String(expected) === actual);
  return isSame ? undefined : says(show(expected));
}

function first(found: (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    value === false ||
    value === "0" ||
    value === 0
  );
}

function isBetween(bounds: unknown, actual: unknown): boolean {
  const [least, most] = bounds as [number, number];
  const number = Number(String(actual).replace(/s$/, ""));
  return number >= least && number <= most;
}

const MOST_CHARS = 300;

/** A value in short, for people. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
