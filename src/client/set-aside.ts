import type { Delivery } from "./delivery.js";
import { firstHeldSeq, type Line } from "./line.js";

/** How many deliveries, and how many bytes of them, may be unacked before the hub waits (D5). */
export interface Window {
  maxUnacked: number;
  maxUnackedBytes: number;
}

/** How long left entries may take up places of others. */
const HOLD_UP_MS = 1_000;

interface Left {
  seq: number;
  bytes: number;
}

/**
 * The entries of this session that were left to the hub's log: nobody listens for them, their
 * channel stands still, or there was no room. The hub is told to count them no longer, so that
 * they do not hold up others (D5); they come again in the next session.
 */
export interface SetAside {
  /** A new session. @param window undefined where its hub does not count, and is told nothing */
  begin(window: Window | undefined): void;
  /** An entry was left. */
  add(line: Line, delivery: Delivery): void;
  /** An entry was kept, and waits. */
  kept(line: Line, delivery: Delivery): void;
  /** Something of the line was handled, or is no longer held here. */
  settle(line: Line): void;
  /**
   * For the rest of the session the hub counts nothing: all that waits in these lines is set
   * aside, and so is whatever comes.
   */
  open(lines: Iterable<Line>): void;
  /** How many left entries the hub still counts, and their bytes. */
  readonly entries: number;
  readonly bytes: number;
}

/**
 * A position covers everything before it. So an entry is set aside once nothing before it is
 * held here: the hub goes on counting what waits here, and does not send more than there is
 * room for. Only where left entries take up half of what may be unacked for a second are they
 * set aside whatever that covers: then others may be held up by them.
 * @param tell sends a position to the hub
 */
export function createSetAside(tell: (channelId: string, seq: number) => void): SetAside {
  const left = new Map<Line, Left[]>();
  let window: Window | undefined;
  let opened = false;
  let entries = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function holdsUpOthers(): boolean {
    if (window === undefined) return false;
    return entries * 2 >= window.maxUnacked || bytes * 2 >= window.maxUnackedBytes;
  }

  function releaseAll(): void {
    for (const line of [...left.keys()]) release(line, Infinity);
  }

  /** Sets aside what comes before this seq. */
  function release(line: Line, beforeSeq: number): void {
    const all = left.get(line);
    if (all === undefined) return;
    const kept: Left[] = [];
    let newest = 0;
    for (const one of all) {
      if (one.seq >= beforeSeq) {
        kept.push(one);
        continue;
      }
      newest = Math.max(newest, one.seq);
      entries -= 1;
      bytes -= one.bytes;
    }
    if (kept.length > 0) left.set(line, kept);
    else left.delete(line);
    if (newest > line.handledSeq) tell(line.channelId, newest);
  }

  return {
    begin(next) {
      window = next;
      opened = false;
      clearTimeout(timer);
      timer = undefined;
      left.clear();
      entries = 0;
      bytes = 0;
    },
    add(line, delivery) {
      if (window === undefined) return;
      const { seq } = delivery;
      const all = left.get(line);
      if (all === undefined) left.set(line, [{ seq, bytes: delivery.bytes }]);
      else all.push({ seq, bytes: delivery.bytes });
      entries += 1;
      bytes += delivery.bytes;
      release(line, opened ? Infinity : firstHeldSeq(line));
      if (timer !== undefined || !holdsUpOthers()) return;
      timer = setTimeout(() => {
        timer = undefined;
        if (holdsUpOthers()) releaseAll();
      }, HOLD_UP_MS).unref();
    },
    kept(line, { seq }) {
      if (opened) tell(line.channelId, seq);
    },
    settle: (line) => release(line, firstHeldSeq(line)),
    open(lines) {
      if (window === undefined || opened) return;
      opened = true;
      for (const line of lines) {
        const newest = Math.max(line.running?.seq ?? 0, line.queue.at(-1)?.seq ?? 0);
        if (newest > line.handledSeq) tell(line.channelId, newest);
      }
      releaseAll();
    },
    get entries() {
      return entries;
    },
    get bytes() {
      return bytes;
    },
  };
}
