import { expect, test } from "vitest";
import { addressGroup, countFailedLogins } from "../../src/auth/failed-logins.js";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:DB8:0:0:a:b:c:d", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["in memory", "in memory"],
])("%s counts as %s", (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

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
