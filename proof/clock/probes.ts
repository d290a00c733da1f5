import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ChatRequest } from "claw-chat-hub/protocol";
import { type BareAgent, createBareAgent } from "../crash/bare-agent.ts";
import { journalName } from "../crash/check-folder.ts";
import type { EntryFrame } from "../crash/entry-print.ts";
import { frameJournal } from "../crash/frame-journal.ts";
import { openJournal } from "../crash/journal.ts";
import type { Random } from "../support/random.ts";

/** Requests that nobody answers, and when they expire, by the monotonic clock of this process. */
export interface Probes {
  /** Dials now rather than at the next try. */
  dial(): void;
  /**
   * Asks for a chat, and resolves when the provider has the request.
   * @returns by how many seconds the hub's clock was ahead when it stored it
   */
  ask(probe: Probe): Promise<number>;
  /** How long one that was stored still has at most, in milliseconds. */
  leftMs(key: string): number;
  /**
   * The hub was started again, with its clock as it was, set back or set forward meanwhile: what
   * pends may then expire as if nothing had been, at the latest after the whole time anew, or at
   * once.
   */
  restarted(clock: "kept" | "back" | "forward"): void;
  /** Waits until all those have expired that are to; those that have not by then are late. */
  answered(): Promise<void>;
  /** The agents leave, and their journal is complete. */
  leave(): Promise<void>;
  /** What expired sooner, and later, than it might. */
  readonly early: string[];
  readonly late: string[];
}

/** One request. */
export interface Probe {
  key: string;
  timeoutMs: number;
  /** It must not expire within this run. */
  stays?: true;
  /** The key of one that must have expired before. */
  after?: string;
}

interface Asked extends Probe {
  /** When it may expire at the soonest and at the latest, on `performance.now()`. */
  fromMs: number;
  untilMs: number;
  /** When it was seen to be stored. */
  storedByMs: number;
  stored: (offsetSeconds: number) => void;
  rejected: boolean;
}

/** Timers of JavaScript count whole milliseconds. */
const ROUNDING_MS = 5;
/** What a busy machine may add; a clock that was set would add an hour. */
const LATE_MS = 10_000;
/** The process numbers of the load are smaller. */
const JOURNAL = 9;

/** Two agents of their own beside a load: one asks, the other never answers. */
export function createProbes(of: { address: string; folder: string; random: Random }): Probes {
  const asked = new Map<string, Asked>();
  const byChannel = new Map<string, Asked>();
  const early: string[] = [];
  const late: string[] = [];
  const journal = openJournal(join(of.folder, journalName(JOURNAL)));
  let wake = () => {};

  function agent(id: string, delivered: (frame: EntryFrame) => void): BareAgent {
    journal.note(["agent", id, "bare"]);
    return createBareAgent({
      ...{ id, delivered, address: of.address, random: of.random },
      journal: frameJournal(journal, id),
      placed() {},
    });
  }

  const asker = agent("asker", (frame) => {
    const probe = byChannel.get(frame.value.channelId);
    if (frame.$case !== "chatReject" || probe === undefined || probe.rejected) return;
    probe.rejected = true;
    const atMs = performance.now();
    const by = Math.round(atMs - probe.fromMs);
    if (probe.stays) early.push(`${probe.key} expired, and it had days`);
    else if (by < -ROUNDING_MS) early.push(`${probe.key} expired ${-by} ms early`);
    else if (atMs > probe.untilMs) late.push(`${probe.key} expired ${by} ms late`);
    if (probe.after !== undefined && asked.get(probe.after)?.rejected === false) {
      late.push(`${probe.after} expired after ${probe.key}, which had longer`);
    }
    wake();
  });
  const sleeper = agent("sleeper", (frame) => {
    if (frame.$case !== "chatRequest") return;
    const probe = asked.get(frame.value.idempotencyKey);
    if (probe === undefined) return;
    byChannel.set(frame.value.channelId, probe);
    probe.storedByMs = Math.min(probe.storedByMs, performance.now());
    const storedAtSeconds = Number(frame.value.timestamp?.seconds ?? 0);
    probe.stored(storedAtSeconds - Date.now() / 1_000);
  });

  return {
    ...{ early, late },
    dial() {
      asker.dial();
      sleeper.dial();
    },
    ask(probe) {
      const fromMs = performance.now() + probe.timeoutMs;
      const seconds = Math.floor(probe.timeoutMs / 1_000);
      const timeout = { seconds: BigInt(seconds), nanos: (probe.timeoutMs % 1_000) * 1_000_000 };
      const value = { ...ChatRequest.create(), providerId: "sleeper", content: probe.key, timeout };
      return new Promise((stored) => {
        const times = { fromMs, untilMs: fromMs + LATE_MS, storedByMs: Infinity };
        asked.set(probe.key, { ...probe, ...times, stored, rejected: false });
        asker.store({ $case: "chatRequest", value: { ...value, idempotencyKey: probe.key } });
      });
    },
    leftMs(key) {
      const probe = asked.get(key);
      return probe === undefined ? 0 : probe.storedByMs + probe.timeoutMs - performance.now();
    },
    restarted(clock) {
      const nowMs = performance.now();
      for (const probe of asked.values()) {
        if (probe.rejected || clock === "kept") continue;
        if (clock === "forward") probe.fromMs = nowMs;
        const wholeMs = clock === "back" ? probe.timeoutMs : 0;
        probe.untilMs = Math.max(probe.untilMs, nowMs + wholeMs + LATE_MS);
      }
    },
    async answered() {
      for (;;) {
        const pending = [...asked.values()].filter((one) => !one.rejected && !one.stays);
        const overMs = Math.max(...pending.map((one) => one.untilMs)) - performance.now();
        if (overMs < 0) {
          for (const probe of pending) {
            late.push(`${probe.key} had not expired in time`);
            asked.delete(probe.key);
          }
          return;
        }
        const stop = new AbortController();
        const over = setTimeout(overMs, undefined, { signal: stop.signal }).catch(() => {});
        await Promise.race([
          over,
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
        ]);
        stop.abort();
      }
    },
    async leave() {
      const endMs = performance.now() + LATE_MS;
      while (performance.now() < endMs && !((await asker.settled()) && (await sleeper.settled()))) {
        await setTimeout(50);
      }
      await Promise.all([asker.leave(), sleeper.leave()]);
      journal.close();
    },
  };
}
