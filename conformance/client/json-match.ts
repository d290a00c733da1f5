import type { JsonValue } from "./contract.ts";

/**
 * Whether a value is as a scenario has it. Of objects only the fields that the scenario names
 * are looked at. In an expected text `*` stands for any characters; `*` alone for any text that
 * is not empty.
 */
export function matches(expected: JsonValue, actual: JsonValue | undefined): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((one, index) => matches(one, actual[index]))
    );
  }
  if (expected !== null && typeof expected === "object") {
    return (
      actual !== null &&
      typeof actual === "object" &&
      !Array.isArray(actual) &&
      Object.entries(expected).every(([key, one]) => matches(one, actual[key]))
    );
  }
  if (typeof expected === "string" && expected.includes("*")) {
    return typeof actual === "string" && actual !== "" && pattern(expected).test(actual);
  }
  return expected === actual;
}

function pattern(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}

/** For sentences: one line, and not longer than a line or two. */
export function inShort(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 240 ? text : `${text.slice(0, 240)}…`;
}
