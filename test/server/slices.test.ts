import { expect, test } from "vitest";
import { createSlices } from "../../src/server/slices.js";

/** Does 1 ms of work until the time is up, by a clock that stands still otherwise. */
async function share(of: { othersMs: number; forMs: number }) {
  let nowMs = 0;
  let othersMs = 0;
  let longestMs = 0;
  const others = () => {
    nowMs += of.othersMs;
    othersMs += of.othersMs;
    immediate = setImmediate(others);
  };
  let immediate = setImmediate(others);
  const slices = createSlices(() => nowMs);
  let sliceMs = 0;
  while (nowMs < of.forMs) {
    nowMs += 1;
    sliceMs += 1;
    longestMs = Math.max(longestMs, sliceMs);
    const next = slices.next(false);
    if (next === undefined) continue;
    await next;
    sliceMs = 0;
  }
  clearImmediate(immediate);
  return { ofOthers: othersMs / nowMs, longestMs };
}

test("work goes on for 3 ms before others have a turn", async () => {
  expect((await share({ othersMs: 1, forMs: 1_000 })).longestMs).toBe(3);
});

test("G14: whoever keeps the hub busy between two slices gets no more than half of its time", async () => {
  for (const othersMs of [5, 20, 100]) {
    expect((await share({ othersMs, forMs: 10_000 })).ofOthers).toBeLessThan(0.55);
  }
});

test("what cannot be divided begins after a pause, unless next to nothing came before it", async () => {
  let nowMs = 0;
  const slices = createSlices(() => nowMs);
  nowMs = 0.5;
  expect(slices.fresh()).toBeUndefined();
  nowMs = 1.5;
  expect(slices.next(false)).toBeUndefined();
  const pause = slices.fresh();
  expect(pause).toBeInstanceOf(Promise);
  await pause;
  expect(slices.fresh()).toBeUndefined();
});
