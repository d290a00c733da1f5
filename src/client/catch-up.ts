import type { Line } from "./line.js";
import type { Room } from "./room.js";

/** A channel that is behind waits at most about this long for the others to make room. */
const LOOK_AGAIN_MS = 1_000;

/** The channels of which entries were left to the hub's log until the next session. */
export interface CatchUp {
  isBehind(line: Line): boolean;
  fellBehind(line: Line): void;
  /** Some entries were worked off: opens the session anew if that is worth it now. */
  look(): void;
  /** A new session began, or none will. */
  clear(): void;
}

/**
 * Decides when to open the session anew: once half of the room is free and a channel that is
 * behind has mostly drained. Where stuck channels hold the room, the others are still let in,
 * once a second at most, so that neither side wears the hub out.
 */
export function createCatchUp(room: Room, reopen: () => void): CatchUp {
  const behind = new Set<Line>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    if (behind.size === 0) return;
    const { free } = room;
    if (free >= 0.5 && [...behind].some((line) => room.shareOf(line) * 4 <= free)) {
      reopen();
      return;
    }
    timer ??= setTimeout(() => {
      timer = undefined;
      const idle = [...behind].some(
        (line) => line.queue.length === 0 && line.running === undefined,
      );
      if (idle && room.free > 0) reopen();
      else look();
    }, LOOK_AGAIN_MS).unref();
  }

  return {
    isBehind: (line) => behind.has(line),
    fellBehind(line) {
      behind.add(line);
      look();
    },
    look,
    clear() {
      behind.clear();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
