/**
 * How long work goes on before everybody else has a turn, in milliseconds. A sync of the disk, or
 * copying SQLite's log, comes on top and cannot be divided.
 */
const MAX_SLICE_MS = 3;

/** Divides long work, so that connections, timers and heartbeats need not wait for all of it. */
export interface Slices {
  /** To be awaited where it is not undefined, which it mostly is. */
  next(): Promise<void> | undefined;
}

/** @param of.nowMs a monotonic clock */
export function createSlices(nowMs: () => number = () => performance.now()): Slices {
  let sinceMs = nowMs();
  return {
    next() {
      const askedMs = nowMs();
      if (askedMs - sinceMs < MAX_SLICE_MS) return undefined;
      return new Promise((resolve) => {
        const goOn = () => {
          sinceMs = nowMs();
          resolve();
        };
        // After whatever has come in meanwhile. Where that took long itself, once more: together
        // they would be one long piece again.
        setImmediate(() => {
          if (nowMs() - askedMs < MAX_SLICE_MS) goOn();
          else setImmediate(goOn);
        });
      });
    },
  };
}
