import { describe, expect, test } from "vitest";
import { runLoad } from "../../bench/load/run-load.ts";
import { type Fault, startFaultyRelay } from "./faulty-relay.js";

const SHORT_MS = 200;

async function underLoad(fault: Fault) {
  await using relay = await startFaultyRelay(fault);
  return await runLoad(
    {
      ...{ kind: "load", serverPid: process.pid, flows: 1, inFlight: 4, sizeBytes: 64 },
      target: { protocol: "tcp", address: relay.address, numbersSeq: true },
      ...{ warmMs: 0, ms: SHORT_MS },
    },
    SHORT_MS,
  );
}

const later = (value: { seq: bigint }) => ({ seq: value.seq + 1n });

const FAULTS: [string, Fault, RegExp][] = [
  ["drops a message", { deliver: (_, next) => [next] }, /delivery 8 is not what was sent/],
  ["reorders two", { deliver: (one, next) => [next, one] }, /delivery 8 is not what was sent/],
  ["repeats one", { deliver: (one, next) => [one, one, next] }, /delivery 9 is not what was sent/],
  [
    "alters the last letter",
    { deliver: (one, next) => [{ ...one, content: `${one.content.slice(0, -1)}!` }, next] },
    /delivery 8 is not what was sent/,
  ],
  [
    "cuts a message short",
    { deliver: (one, next) => [{ ...one, content: one.content.slice(0, -1) }, next] },
    /delivery 8 is not what was sent/,
  ],
  [
    "numbers a delivery wrong",
    { deliver: (one, next) => [{ ...one, ...later(one) }, next] },
    /a delivery has seq 11 where 10 is next/,
  ],
  ["forgets a receipt", { answer: () => [] }, /a receipt is for 9 where 8 is next/],
  [
    "repeats a receipt",
    { answer: (right) => [right, right] },
    /a receipt is for 8 where 9 is next/,
  ],
  [
    "numbers a receipt wrong",
    { answer: (right) => [{ ...right, ...later(right) }] },
    /a receipt has seq 11 where 10 is next/,
  ],
];

describe("the load generator", () => {
  test("finds nothing wrong with a relay that has no fault", async () => {
    const report = await underLoad({});
    expect(report.messages).toBeGreaterThan(0);
    expect(report.checked).toBeGreaterThanOrEqual(report.messages);
    expect(report.p50Ms).toBeGreaterThan(0);
  });

  test.each(FAULTS)("notices a relay that %s", async (_what, fault, complaint) => {
    await expect(underLoad(fault)).rejects.toThrow(complaint);
  });

  test("notices that nothing comes any more", async () => {
    const silent: Fault = { deliver: () => [], answer: () => [] };
    await expect(underLoad(silent)).rejects.toThrow(/receipt|delivery|missing/);
  });
});
