import { expect, test } from "vitest";
import { createWindow, OPEN_WINDOW } from "../../src/server/window.js";

const LIMITS = { perChannel: 8, total: 12, bytes: 1_000 };

test("D5: a channel that is full waits until a quarter of its place is free", () => {
  const window = createWindow(LIMITS);
  for (let seq = 1; seq <= 8; seq += 1) {
    expect(window.fits("a", 10)).toBe(true);
    window.sent("a", seq, 10);
  }
  expect(window.isFull("a")).toBe(true);
  expect(window.fits("a", 10)).toBe(false);
  expect(window.room("b").items).toBe(4);
  expect(window.release("a", 1)).toBe(true);
  expect(window.isFull("a")).toBe(true);
  expect(window.release("a", 2)).toBe(true);
  expect(window.isFull("a")).toBe(false);
  expect(window.room("a").items).toBe(2);
});

test("D5: acks are cumulative, and what is not unacked frees nothing", () => {
  const window = createWindow(LIMITS);
  // The seqs between are the agent's own entries.
  for (const seq of [2, 5, 9]) window.sent("a", seq, 10);
  expect(window.release("a", 1)).toBe(false);
  expect(window.release("b", 9)).toBe(false);
  expect(window.release("a", 7)).toBe(true);
  expect(window.room("a").items).toBe(7);
  expect(window.release("a", 1_000_000)).toBe(true);
  expect(window.release("a", 1_000_000)).toBe(false);
  expect(window.room("a").items).toBe(8);
});

test("D5: all channels together have a bound in deliveries and in bytes", () => {
  const window = createWindow(LIMITS);
  for (let seq = 1; seq <= 6; seq += 1) {
    window.sent("a", seq, 1);
    window.sent("b", seq, 1);
  }
  expect(window.room("c").items).toBe(0);
  expect(window.fits("c", 1)).toBe(false);
  window.release("b", 6);
  expect(window.fits("c", 1)).toBe(true);
  window.sent("c", 1, 990);
  expect(window.fits("c", 5)).toBe(false);
  // One that is larger than the bound may be unacked alone.
  window.release("a", 6);
  window.release("c", 1);
  expect(window.fits("c", 5_000)).toBe(true);
});

test("D2: a session whose deliveries are not acked has no such bounds", () => {
  expect(OPEN_WINDOW.room("a").items).toBe(Infinity);
  expect(OPEN_WINDOW.fits("a", 1e9)).toBe(true);
  expect(OPEN_WINDOW.isFull("a")).toBe(false);
});
