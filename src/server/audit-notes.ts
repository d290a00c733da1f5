import type { Logger } from "pino";
import type { AuditEvent, AuditKind } from "../hub/audit.js";
import { addressKey } from "../protocol/address-key.js";
import type { Turns } from "./turns.js";

/** Lines of one kind that the audit log takes in a minute; the others are counted. */
const MAX_PER_MINUTE = 100;
/** Those of them from one address: who floods the log does not hide another. */
const MAX_PER_ADDRESS = 20;
const MINUTE_MS = 60_000;
/** How long lines are collected before they are stored, in milliseconds. */
const COLLECT_MS = 250;
/** When they are tried again that the database did not take. */
const TRY_AGAIN_MS = 5_000;
/** Lines that wait for a database which takes nothing. */
const MAX_WAITING = 1_000;

interface Minute {
  beganAtMs: number;
  taken: number;
  byAddress: Map<string, number>;
  leftOut: number;
}

function newMinute(): Minute {
  return { beganAtMs: performance.now(), taken: 0, byAddress: new Map(), leftOut: 0 };
}

/** Notes what was refused. Later and in batches, so that a refusal takes as long as any other. */
export interface AuditNotes {
  note(event: Omit<AuditEvent, "atMs">): void;
  /** Stores what waits, and the counts of what was left out. Notes nothing afterwards. */
  close(): Promise<void>;
}

/**
 * @param of.nowMs the wall clock
 * @param of.log told where lines are lost
 */
export function createAuditNotes(of: {
  turns: Turns;
  nowMs: () => number;
  log: Logger;
}): AuditNotes {
  const { turns, nowMs, log } = of;
  let waiting: AuditEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const minutes = new Map<AuditKind, Minute>();

  function add(event: AuditEvent): void {
    if (waiting.length >= MAX_WAITING) {
      waiting.shift();
      log.warn("a line of the audit log is lost: the database takes nothing");
    }
    waiting.push(event);
    timer ??= setTimeout(() => void store(), COLLECT_MS).unref();
  }

  /** Ends minutes that are over, or all; the timer of one with something left out goes on. */
  function endMinutes(all: boolean): void {
    for (const [event, minute] of minutes) {
      if (!all && performance.now() - minute.beganAtMs < MINUTE_MS) continue;
      minutes.delete(event);
      if (minute.leftOut > 0) add(suppressed(event, minute.leftOut));
    }
  }

  function suppressed(event: AuditKind, count: number): AuditEvent {
    const nobody = { actor: "", agentId: "", channelId: "", address: "" };
    return { atMs: nowMs(), event: "suppressed", ...nobody, detail: `${count} more ${event}` };
  }

  function store(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const events = waiting;
    waiting = [];
    if (events.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      turns.submit<void>({
        run: ({ tx }) => tx.audit(events),
        done: () => resolve(),
        failed() {
          waiting = [...events, ...waiting].slice(-MAX_WAITING);
          if (!closed) timer ??= setTimeout(() => void store(), TRY_AGAIN_MS).unref();
          resolve();
        },
      });
    });
  }

  const minuteTimer = setInterval(() => endMinutes(false), COLLECT_MS * 4).unref();
  return {
    note(event) {
      if (closed) return;
      endMinutes(false);
      const minute = minutes.get(event.event) ?? newMinute();
      minutes.set(event.event, minute);
      const from = addressKey(event.address);
      const fromThere = minute.byAddress.get(from) ?? 0;
      if (minute.taken >= MAX_PER_MINUTE || fromThere >= MAX_PER_ADDRESS) {
        minute.leftOut += 1;
        return;
      }
      minute.taken += 1;
      minute.byAddress.set(from, fromThere + 1);
      add({ atMs: nowMs(), ...event });
    },
    async close() {
      clearInterval(minuteTimer);
      endMinutes(true);
      closed = true;
      await store();
    },
  };
}
