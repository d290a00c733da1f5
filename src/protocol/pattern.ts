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

/** Whether an id is one that a pattern stands for. Each `*` stands for any characters, also none. */
export function matchesPattern(pattern: string, id: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return pattern === id;
  if (!id.startsWith(first)) return false;
  // The earliest place for each part leaves the most room for those after it.
  let at = first.length;
  for (const part of parts) {
    const found = id.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return id.length - last.length >= at && id.endsWith(last);
}

/** The same for any of several. */
export function matchesAny(patterns: string[], id: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, id));
}
