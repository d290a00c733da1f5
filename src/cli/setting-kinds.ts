/** How one kind of setting is read; undefined means that the value does not fit. */
export interface Kind<T> {
  /** What would be right, to end a sentence with "expected …". */
  expected: string;
  /** How the flag's value is named in the help; undefined for a switch, which takes none. */
  placeholder?: string;
  /** From a flag or an environment variable. */
  fromText(text: string): T | undefined;
  /** From a YAML value. */
  fromFile(value: unknown): T | undefined;
}

/** Any text that is not empty. */
export function text(placeholder: string, pattern = /./s, expected = "a text"): Kind<string> {
  const read = (value: string) => (pattern.test(value) ? value : undefined);
  return {
    expected,
    placeholder,
    fromText: read,
    fromFile: (value) => (typeof value === "string" ? read(value) : undefined),
  };
}

/** A number within bounds, the bounds included. */
export function number(of: {
  placeholder: string;
  least: number;
  most: number;
  whole?: boolean;
}): Kind<number> {
  const read = (value: number) => {
    const fits = value >= of.least && value <= of.most && (!of.whole || Number.isInteger(value));
    return fits ? value : undefined;
  };
  return {
    expected: `a ${of.whole ? "whole " : ""}number from ${of.least} to ${of.most}`,
    placeholder: of.placeholder,
    fromText: (value) => (/^[0-9]+(\.[0-9]+)?$/.test(value) ? read(Number(value)) : undefined),
    fromFile: (value) => (typeof value === "number" ? read(value) : undefined),
  };
}

/** One word of a list. */
export function choice<const T extends string>(placeholder: string, words: readonly T[]): Kind<T> {
  const read = (value: unknown) => words.find((word) => word === value);
  return { expected: `one of ${words.join(", ")}`, placeholder, fromText: read, fromFile: read };
}

/** A switch: a flag without a value; true or false elsewhere. */
export function onOff(): Kind<boolean> {
  const WORDS = new Map([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ]);
  return {
    expected: "true or false",
    fromText: (value) => WORDS.get(value),
    fromFile: (value) => (typeof value === "boolean" ? value : undefined),
  };
}

const DAY_MS = 86_400_000;
const UNITS_MS = new Map([
  ["d", DAY_MS],
  ["h", DAY_MS / 24],
]);

/** A time to come, in milliseconds: so many days or hours. */
export function period(): Kind<number> {
  const read = (value: string) => {
    const [, count, unit = ""] = /^([0-9]{1,6})([dh])$/.exec(value) ?? [];
    return count === undefined ? undefined : Number(count) * (UNITS_MS.get(unit) ?? DAY_MS);
  };
  return {
    expected: "a time such as 7d or 12h",
    placeholder: "time",
    fromText: read,
    fromFile: (value) => (typeof value === "string" ? read(value) : undefined),
  };
}

/** A moment to come, in milliseconds since the epoch: a date, a date with a time, or so far ahead. */
export function upcoming(nowMs: number): Kind<number> {
  const read = (value: string) => {
    const aheadMs = period().fromText(value);
    const epochMs = aheadMs === undefined ? moment(nowMs).fromText(value) : nowMs + aheadMs;
    return epochMs !== undefined && epochMs > nowMs ? epochMs : undefined;
  };
  return {
    expected: "a date to come such as 2027-11-22, or so far ahead: 90d or 12h",
    placeholder: "when",
    fromText: read,
    fromFile: (value) => (typeof value === "string" ? read(value) : undefined),
  };
}

/** A moment, in milliseconds since the epoch: a date, a date with a time, or so long ago. */
export function moment(nowMs: number): Kind<number> {
  const read = (value: string) => {
    const ago = /^([0-9]{1,6})([dh])$/.exec(value);
    if (ago !== null) return nowMs - Number(ago[1]) * (UNITS_MS.get(ago[2] ?? "") ?? DAY_MS);
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(value)) {
      return undefined;
    }
    const epochMs = Date.parse(value);
    return Number.isNaN(epochMs) ? undefined : epochMs;
  };
  return {
    expected: "a date such as 2026-11-22 or 2026-11-22T10:00:00Z, or so long ago: 30d or 12h",
    placeholder: "when",
    fromText: read,
    fromFile: (value) => (typeof value === "string" ? read(value) : undefined),
  };
}
