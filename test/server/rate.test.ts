import fc from "fast-check";
import { expect, test } from "vitest";
import { createRates } from "../../src/server/rate.js";

const FRAMES = 10;
const BYTES = 1_000;
const LARGEST = 1_000;

/** A clock that stands still until it is told otherwise. */
function clock() {
  let nowMs = 5_000;
  return {
    nowMs: () => nowMs,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

const sizes = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: LARGEST }));
const pausesMs = fc.oneof({ arbitrary: fc.nat(20), weight: 9 }, fc.nat(5_000));
const requests = fc.array(fc.record({ pauseMs: pausesMs, bytes: sizes }), {
  minLength: 40,
  maxLength: 200,
});

test("M8: in no span of time does an agent that waits send more than its rate and one second's worth", () => {
  fc.assert(
    fc.property(requests, fc.constantFrom(BYTES, 0), (asked, maxBytesPerSecond) => {
      const time = clock();
      const rates = createRates({
        maxFramesPerSecond: FRAMES,
        maxBytesPerSecond,
        nowMs: time.nowMs,
      });
      const sent: { atMs: number; bytes: number }[] = [];
      for (const { pauseMs, bytes } of asked) {
        time.pass(pauseMs);
        time.pass(rates.waitMs("a"));
        expect(rates.waitMs("a")).toBe(0);
        rates.take("a", bytes);
        sent.push({ atMs: time.nowMs(), bytes });
      }
      for (let first = 0; first < sent.length; first += 1) {
        let bytes = 0;
        for (let last = first; last < sent.length; last += 1) {
          const seconds = ((sent[last]?.atMs ?? 0) - (sent[first]?.atMs ?? 0)) / 1000;
          bytes += sent[last]?.bytes ?? 0;
          expect(last - first + 1).toBeLessThanOrEqual(FRAMES * (1 + seconds) + 0.001);
          // The last one's size is known only when it is there.
          if (maxBytesPerSecond > 0)
            expect(bytes).toBeLessThanOrEqual(BYTES * (1 + seconds) + LARGEST);
        }
      }
    }),
  );
});

test("M8: who always has something to send is not held up longer than its rate demands", () => {
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 30 }), (sent) => {
      const time = clock();
      const rates = createRates({
        maxFramesPerSecond: FRAMES,
        maxBytesPerSecond: BYTES,
        nowMs: time.nowMs,
      });
      const beganMs = time.nowMs();
      let bytes = 0;
      for (const size of sent) {
        time.pass(rates.waitMs("a"));
        rates.take("a", size);
        bytes += size;
      }
      const neededMs = 1000 * Math.max(sent.length / FRAMES, bytes / BYTES);
      expect(time.nowMs() - beganMs).toBeLessThanOrEqual(neededMs);
    }),
  );
});

test("M8: one agent's second is not another's, and a limit of 0 is none", () => {
  const time = clock();
  const of = { maxFramesPerSecond: 2, maxBytesPerSecond: 0, nowMs: time.nowMs };
  const rates = createRates(of);
  for (let count = 0; count < 2; count += 1) rates.take("a", 1e12);
  expect(rates.waitMs("a")).toBe(500);
  expect(rates.waitMs("b")).toBe(0);
  // Having been quiet for a minute is worth no more than having been so for a second.
  time.pass(60_000);
  for (let count = 0; count < 2; count += 1) rates.take("a", 1);
  expect(rates.waitMs("a")).toBe(500);
  const unlimited = createRates({ ...of, maxFramesPerSecond: 0 });
  for (let count = 0; count < 1_000; count += 1) unlimited.take("a", 1e12);
  expect(unlimited.waitMs("a")).toBe(0);
});

test("M8: forgetting those that were quiet forgives nobody", () => {
  const time = clock();
  const rates = createRates({ maxFramesPerSecond: 2, maxBytesPerSecond: 100, nowMs: time.nowMs });
  rates.take("heavy", 1_000);
  for (let agent = 0; agent < 2_000; agent += 1) rates.take(`${agent}`, 1);
  time.pass(2_000);
  rates.take("another", 1);
  expect(rates.waitMs("heavy")).toBeGreaterThan(6_000);
});

test("M8: the time a call took counts as the requests that might have been sent in twice that time", () => {
  const time = clock();
  const rates = createRates({ maxFramesPerSecond: 100, maxBytesPerSecond: 0, nowMs: time.nowMs });
  rates.spend("a", 400);
  rates.take("a", 1);
  expect(rates.waitMs("a")).toBe(0);
  rates.spend("a", 100);
  // 100 were there, and 101 are gone.
  expect(rates.waitMs("a")).toBeCloseTo(20);
  expect(rates.waitMs("b")).toBe(0);
  const free = createRates({ maxFramesPerSecond: 0, maxBytesPerSecond: 0, nowMs: time.nowMs });
  free.spend("a", 1e9);
  expect(free.waitMs("a")).toBe(0);
});
