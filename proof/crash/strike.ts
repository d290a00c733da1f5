import { setTimeout } from "node:timers/promises";
import type { HubProcess } from "../support/hub-process.ts";
import type { Random } from "../support/random.ts";

/** What there is to strike at. */
export interface Target {
  hub: HubProcess;
  /** Resolves when the hub has given so many new receipts. */
  receipts: (count: number) => Promise<void>;
  random: Random;
}

/** How a hub came to its end. */
export interface Struck {
  /** When the blow fell, on `performance.now()`. */
  atMs: number;
  /** It was to end by itself and had to be killed. */
  fallback?: true;
  /** A sentence where it did not end as it should have. */
  wrong?: string;
  /** From the signal to the end, in milliseconds. */
  stopMs: number;
}

/** Brings a hub under load to its end; resolves when the process is gone. */
export type Strike = (target: Target) => Promise<Struck>;

/** How long a hub may serve without the receipts waited for before that is a fault. */
const SILENCE_MS = 30_000;

/**
 * SIGKILL, or SIGTERM with exit code 0 expected, 60 to 310 ms after new receipts were seen; on a
 * busy machine later, when there were 250 to 500, so that there is a load in any case.
 */
export function strikeAtRandom(signal: "SIGKILL" | "SIGTERM"): Strike {
  return async ({ hub, receipts, random }) => {
    const waitMs = random.int(60, 310);
    const enough = random.int(250, 500);
    const load = receipts(1).then(() => Promise.all([setTimeout(waitMs), receipts(enough)]));
    const silent = Symbol();
    const first = await Promise.race([
      load,
      hub.ended.then(({ code, signal }) => `the hub ended by itself (${signal ?? code})`),
      setTimeout(SILENCE_MS, silent, { ref: false }),
    ]);
    const atMs = performance.now();
    const { code } = await hub.end(signal);
    const stopMs = performance.now() - atMs;
    if (typeof first === "string") return { atMs, stopMs, wrong: `${first}: ${hub.log()}` };
    if (first === silent)
      return { atMs, stopMs, wrong: `hardly a receipt within ${SILENCE_MS} ms` };
    if (signal === "SIGTERM" && code !== 0) {
      return { atMs, stopMs, wrong: `exit code ${code} after SIGTERM: ${hub.log()}` };
    }
    return { atMs, stopMs };
  };
}

/** Waits for a hub that ends itself; kills it after the time. */
export function awaitSelfKill(withinMs = 5_000): Strike {
  return async ({ hub }) => {
    const late = Symbol();
    const end = await Promise.race([hub.ended, setTimeout(withinMs, late, { ref: false })]);
    const atMs = performance.now();
    if (end !== late) return { atMs, stopMs: 0 };
    await hub.end("SIGKILL");
    return { atMs, stopMs: 0, fallback: true };
  };
}
