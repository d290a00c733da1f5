const BIN_MS = 100;

/** How many of the times lie in each 100 ms, from 0. */
function binsOf(timesMs: number[]): number[] {
  const bins: number[] = [];
  for (const timeMs of timesMs) {
    const bin = Math.max(0, Math.floor(timeMs / BIN_MS));
    while (bins.length <= bin) bins.push(0);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}

/** The part of the times that the fullest 100 ms hold, between 0 and 1. */
export function largestShare(timesMs: number[]): number {
  return Math.max(0, ...binsOf(timesMs)) / Math.max(1, timesMs.length);
}

/** A line for each 100 ms. */
export function drawn(timesMs: number[]): string {
  return binsOf(timesMs)
    .map((count, bin) => {
      const label = `${String(bin * BIN_MS).padStart(6)} ms ${String(count).padStart(5)} `;
      return `${label}${"#".repeat(Math.ceil((60 * count) / timesMs.length))}`;
    })
    .join("\n");
}
