import { MAX_RESPONSE_BYTES } from "../protocol/limits.js";
import type { SessionLimits } from "./incoming.js";
import type { Line } from "./line.js";
import { createRoom, type Room, type RoomBounds } from "./room.js";
import { createRuns, type Runs } from "./runs.js";
import { createSetAside, type SetAside, type Window } from "./set-aside.js";

/** Where the delivered entries are, and how that bounds what may still come (D5). */
export interface Flow {
  /** Those that wait. */
  readonly room: Room;
  /** Those that are worked on. */
  readonly runs: Runs;
  /** Those that were left to the hub's log. */
  readonly aside: SetAside;
  /** A new session. */
  begin(limits: SessionLimits): void;
  /** One more entry of the line may wait. */
  hasRoom(line: Line): boolean;
  /** Lets the hub go on, where it may be waiting for acks. @param lines all there are */
  makeWay(lines: Iterable<Line>): void;
}

/** @param setAside tells the hub a position; see createSetAside */
export function createFlow(
  bounds: RoomBounds,
  setAside: (channelId: string, seq: number) => void,
): Flow {
  const room = createRoom(bounds);
  const runs = createRuns();
  const aside = createSetAside(setAside);
  let window: Window | undefined;
  /** The hub may send more than there is room for. */
  let sharing = true;

  function mayBeFull({ maxUnacked, maxUnackedBytes }: Window): boolean {
    const entries = room.entries + runs.entries + aside.entries;
    // The next delivery may be as large as a response can be.
    const bytes = room.bytes + runs.bytes + aside.bytes + MAX_RESPONSE_BYTES;
    return entries >= maxUnacked || bytes > maxUnackedBytes;
  }

  return {
    room,
    runs,
    aside,
    begin(limits) {
      window = windowOf(limits);
      sharing =
        window === undefined ||
        window.maxUnacked > bounds.maxEntries ||
        window.maxUnackedBytes > bounds.maxBytes;
      aside.begin(window);
    },
    hasRoom: (line) => (sharing ? room.shareOf(line) : 0) < room.free,
    makeWay(lines) {
      if (window === undefined || !mayBeFull(window)) return;
      sharing = true;
      aside.open(lines);
    },
  };
}

/** The window of a session; undefined where its hub does not count. */
function windowOf({ maxUnacked, maxUnackedBytes }: SessionLimits): Window | undefined {
  if (maxUnacked === 0) return undefined;
  return { maxUnacked, maxUnackedBytes: maxUnackedBytes || Infinity };
}
