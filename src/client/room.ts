import type { Delivery } from "./delivery.js";
import { insert, type Line } from "./line.js";

/** At most so many entries, and so many bytes of them; the last one may reach beyond. */
export interface RoomBounds {
  maxEntries: number;
  maxBytes: number;
}

/** The place where entries wait, of all lines together. */
export interface Room {
  /** What is free of it: 1 where nothing waits, 0 or less where it is full. */
  readonly free: number;
  /** How many entries wait, and their bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** What a line takes of it, as a part of 1. */
  shareOf(line: Line): number;
  insert(line: Line, delivery: Delivery): void;
  /** Takes the first waiting entry of a line out. */
  takeFirst(line: Line): void;
  /** Keeps the waiting entries of a line that pass, and returns the others. */
  keep(line: Line, passes: (delivery: Delivery) => boolean): Delivery[];
}

/** An empty room. Entries that are being worked on are not in it. */
export function createRoom({ maxEntries, maxBytes }: RoomBounds): Room {
  let entries = 0;
  let bytes = 0;

  function partOf(someEntries: number, someBytes: number): number {
    return Math.max(someEntries / maxEntries, someBytes / maxBytes);
  }

  return {
    get free() {
      return 1 - partOf(entries, bytes);
    },
    get entries() {
      return entries;
    },
    get bytes() {
      return bytes;
    },
    shareOf: (line) => partOf(line.queue.length, line.queuedBytes),
    insert(line, delivery) {
      insert(line, delivery);
      line.queuedBytes += delivery.bytes;
      entries += 1;
      bytes += delivery.bytes;
    },
    takeFirst(line) {
      const taken = line.queue.shift()?.bytes;
      if (taken === undefined) return;
      line.queuedBytes -= taken;
      entries -= 1;
      bytes -= taken;
    },
    keep(line, passes) {
      const kept: Delivery[] = [];
      const dropped: Delivery[] = [];
      for (const waiting of line.queue) (passes(waiting) ? kept : dropped).push(waiting);
      const droppedBytes = dropped.reduce((sum, delivery) => sum + delivery.bytes, 0);
      line.queue = kept;
      line.queuedBytes -= droppedBytes;
      entries -= dropped.length;
      bytes -= droppedBytes;
      return dropped;
    },
  };
}
