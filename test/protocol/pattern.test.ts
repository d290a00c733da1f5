import fc from "fast-check";
import { expect, test } from "vitest";
import { isValidPattern, matchesAny, matchesPattern } from "../../src/protocol/pattern.js";

test.each([
  ["weather", "weather", true],
  ["weather", "weather-1", false],
  ["weather-*", "weather-1", true],
  ["weather-*", "weather-", true],
  ["weather-*", "weather", false],
  ["*", "anything", true],
  ["*-eu-*", "pay-eu-eu-1", true],
  ["*-eu", "pay-eu-1", false],
  ["a*b*c", "abcbc", true],
  ["a*b*c", "acb", false],
  ["a.c", "abc", false],
  ["", "a", false],
])("the pattern %j and the id %j: %j", (pattern, id, expected) => {
  expect(matchesPattern(pattern, id)).toBe(expected);
});

test("a pattern stands for what its regular expression matches", () => {
  const text = (alphabet: string) =>
    fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
  fc.assert(
    fc.property(text("ab*"), text("ab"), (pattern, id) => {
      const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
      expect(matchesPattern(pattern, id)).toBe(expression.test(id));
    }),
  );
});

test("a hostile pattern is answered at once", () => {
  expect(matchesPattern("*a".repeat(64), "a".repeat(127).concat("b"))).toBe(false);
  expect(matchesPattern(`*${"a".repeat(63)}b${"a".repeat(62)}*`, "a".repeat(128))).toBe(false);
});

test.each(["weather-*", "*", "a", "*@example.org"])("%j is a pattern", (text) => {
  expect(isValidPattern(text)).toBe(true);
});

test.each(["", "-a", "a b", "a".repeat(129), "ä*", "[a]"])("%j is no pattern", (text) => {
  expect(isValidPattern(text)).toBe(false);
});

test("any of several is enough", () => {
  expect(matchesAny(["a", "b-*"], "b-1")).toBe(true);
  expect(matchesAny([], "b-1")).toBe(false);
});
