/** The middle of some figures and how far apart they lie. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** @throws Error where there is no figure */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((one, other) => one - other);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) throw new Error("nothing was measured");
  const low = sorted[(sorted.length - 1) >> 1] ?? least;
  const high = sorted[sorted.length >> 1] ?? most;
  return { median: (low + high) / 2, least, most };
}

/** One figure divided by another of the same round, round by round: both met the same machine. */
export function ratioOf(figures: readonly number[], others: readonly number[]): Spread {
  return spreadOf(figures.map((figure, round) => figure / (others[round] ?? Number.NaN)));
}
