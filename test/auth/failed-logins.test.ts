import { expect, test } from "vitest";
import { countFailedLogins } from "../../src/auth/failed-logins.js";

test("what is remembered is bounded, and over after a minute", () => {
  let nowMs = 0;
  const failed = countFailedLogins({ maxPerMinute: 1, nowMs: () => nowMs });
  for (let host = 0; host < 150_000; host += 1) failed.note(`host-${host}`);
  expect(failed.note("host-149999")).toBe(60_000);
  // Forgotten, for there were too many.
  expect(failed.note("host-0")).toBeUndefined();
  nowMs = 59_999.5;
  expect(failed.note("host-149999")).toBe(1);
  nowMs = 60_000;
  expect(failed.note("host-149999")).toBeUndefined();
});

test("0 counts nothing", () => {
  const failed = countFailedLogins({ maxPerMinute: 0, nowMs: () => 0 });
  for (let count = 0; count < 100; count += 1) expect(failed.note("a")).toBeUndefined();
});
