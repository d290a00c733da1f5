import { isObject } from "./contract.ts";

/** Values by their names, as a transcript refers to them with `$name`. */
export type Variables = Map<string, unknown>;

const WHOLE = /^\$([a-z][\w-]*)$/;
const INSIDE = /\$\{([a-z][\w-]*)\}/g;

/** The name in `$name`, where the value is such a text. */
export function variableIn(value: unknown): string | undefined {
  return typeof value === "string" ? WHOLE.exec(value)?.[1] : undefined;
}

/** The names of all variables that stand in a value. */
export function variablesIn(value: unknown): string[] {
  if (typeof value === "string") {
    const whole = variableIn(value);
    return whole === undefined
      ? [...value.matchAll(INSIDE)].map(([, name]) => name ?? "")
      : [whole];
  }
  if (Array.isArray(value)) return value.flatMap(variablesIn);
  return isObject(value) ? Object.values(value).flatMap(variablesIn) : [];
}

/** What a transcript may write in place of something long. */
const LONG: Record<string, (value: unknown) => unknown> = {
  // { $text: 5000 } is a text of so many bytes.
  $text: (length) => "x".repeat(Number(length)),
  // { $entries: 33 } is a map of so many entries.
  $entries: (count) => Object.fromEntries(numbers(Number(count)).map((n) => [`k${n}`, "v"])),
  // { $words: 33 } is a list of so many different words.
  $words: (count) => numbers(Number(count)).map((n) => `w${n}`),
  // { $copies: { of: X, times: 1001 } } is a list of so many X.
  $copies: (asked) => {
    const { of, times } = asked as { of: unknown; times: number };
    return numbers(times).map(() => of);
  },
};

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** A value with its variables filled in. @throws Error when one has no value */
export function filled(value: unknown, variables: Variables): unknown {
  const known = (name: string) => {
    if (variables.has(name)) return variables.get(name);
    throw new Error(`$${name} has no value yet`);
  };
  if (typeof value === "string") {
    const name = variableIn(value);
    if (name !== undefined) return known(name);
    return value.replace(INSIDE, (_, inside) => String(known(inside)));
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, variables));
  if (!isObject(value)) return value;
  const [[operator, argument] = ["", undefined], another] = Object.entries(value);
  const long = another === undefined ? LONG[operator] : undefined;
  if (long !== undefined) return long(filled(argument, variables));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, filled(item, variables)]),
  );
}
