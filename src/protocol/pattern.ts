import { MAX_ID_CHARS } from "./limits.js";

/** How a pattern may look; for messages. */
export const PATTERN_RULE =
  "an agent id in which * may stand for any characters, such as weather-*";

const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9._:@/*-]*$/;

/** Whether a text is an agent id, or one with `*` in it. */
export function isValidPattern(text: string): boolean {
  return text.length <= MAX_ID_CHARS && PATTERN.test(text);
}

/** Whether a pattern stands for more than the one agent of that name. */
export function isWildcard(pattern: string): boolean {
  return pattern.includes("*");
}

/**
 * Whether an id is one that a pattern stands for. Each `*` stands for any characters, also none.
 * The time is bounded by the product of both lengths, whatever the pattern.
 */
export function matchesPattern(pattern: string, id: string): boolean {
  let [at, inId] = [0, 0];
  // Where the last * stands, and how much of the id it has swallowed.
  let [star, swallowed] = [-1, 0];
  while (inId < id.length) {
    if (pattern[at] === "*") {
      star = at;
      at += 1;
      swallowed = inId;
    } else if (pattern[at] === id[inId]) {
      at += 1;
      inId += 1;
    } else if (star >= 0) {
      swallowed += 1;
      inId = swallowed;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

/** The same for any of several. */
export function matchesAny(patterns: string[], id: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, id));
}
