/**
 * How long work goes on before everybody else has a turn, in milliseconds. Where that took longer,
 * so may the next slice: whoever floods the hub gets half of its time at most. A sync of the disk,
 * copying SQLite's log, or writing what was gathered, comes on top and cannot be divided.
 */
const MIN_SLICE_MS = 3;
/** What goes before something that cannot be divided need not be in a slice of its own if it is as short. */
const SHORT_MS = 1;
/** So many light pieces are done between two looks at the clock, which cost as much as some of them. */
const LIGHT_PIECES = 4;

/** Divides long work, so that connections, timers and heartbeats need not wait for all of it. */
export interface Slices {
  /**
   * To be awaited where it is not undefined, which it mostly is.
   * @param isLight what was done since the last call takes far less than a millisecond
   */
  next(isLight: boolean): Promise<void> | undefined;
  /** The same, before something that cannot be divided: hardly anything is to come before it. */
  fresh(): Promise<void> | undefined;
}

/** @param nowMs a monotonic clock */
export function createSlices(nowMs: () => number = () => performance.now()): Slices {
  let sinceMs = nowMs();
  let sliceMs = MIN_SLICE_MS;
  let untimed = 0;

  function pauseAfter(lengthMs: number): Promise<void> | undefined {
    const askedMs = nowMs();
    if (askedMs - sinceMs < lengthMs) return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        sinceMs = nowMs();
        sliceMs = Math.max(MIN_SLICE_MS, sinceMs - askedMs);
        resolve();
      };
      // After whatever has come in meanwhile. Where that took long itself, once more: together
      // they would be one long piece again.
      setImmediate(() => {
        if (nowMs() - askedMs < MIN_SLICE_MS) goOn();
        else setImmediate(goOn);
      });
    });
  }

  return {
    next(isLight) {
      untimed += 1;
      if (isLight && untimed < LIGHT_PIECES) return undefined;
      untimed = 0;
      return pauseAfter(sliceMs);
    },
    fresh: () => pauseAfter(SHORT_MS),
  };
}
