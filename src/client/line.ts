import type { Delivery } from "./delivery.js";
import type { IncomingKind } from "./incoming.js";

/** What a client knows of one channel: its entries wait in line, one is worked on at a time. */
export interface Line {
  readonly channelId: string;
  /** Everything up to this seq is handled, as far as anybody listened for it. */
  handledSeq: number;
  /** Entries that wait, in seq order. */
  queue: Delivery[];
  /** The bytes of those; kept by the room. */
  queuedBytes: number;
  /** The entry somebody works on. */
  running: Delivery | undefined;
  /** Tells whoever works on it that it was acked meanwhile. */
  acked: () => void;
  /** A handler kept throwing: nothing further is taken. */
  stopped: boolean;
  /** For each kind nobody listened for: the seq of the first such entry of this session. */
  skipped: Map<IncomingKind, number>;
}

export function newLine(channelId: string): Line {
  return {
    channelId,
    handledSeq: 0,
    queue: [],
    queuedBytes: 0,
    running: undefined,
    acked: () => {},
    stopped: false,
    skipped: new Map(),
  };
}

/** The entry is here already, waiting or being worked on. */
export function holds(line: Line, seq: number): boolean {
  if (line.running?.seq === seq) return true;
  const last = line.queue.at(-1);
  if (last === undefined || seq > last.seq) return false;
  return line.queue.some((delivery) => delivery.seq === seq);
}

/** The seq of the first entry that waits or is worked on; Infinity where there is none. */
export function firstHeldSeq({ running, handledSeq, queue }: Line): number {
  const worked = running !== undefined && running.seq > handledSeq ? running.seq : Infinity;
  return Math.min(worked, queue[0]?.seq ?? Infinity);
}

/** Puts an entry in its place, in seq order. */
export function insert(line: Line, delivery: Delivery): void {
  // Looked for from the end: nearly always it comes behind all others, of which there may be hundreds.
  const before = line.queue.findLastIndex((waiting) => waiting.seq <= delivery.seq);
  line.queue.splice(before + 1, 0, delivery);
}

/** Notes that nobody listened for an entry. */
export function skip(line: Line, { kind, seq }: Delivery): void {
  const first = line.skipped.get(kind);
  if (first === undefined || seq < first) line.skipped.set(kind, seq);
}
