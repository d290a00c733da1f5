import type { CrashResult } from "./run-crash.ts";

/** The last line of a crash run. */
export function lastLine({ kills, figures, counts }: CrashResult): string {
  return figuresLine({ kills, acked: figures.acked, resent: figures.resent, ...counts });
}

/** What else is worth knowing: the line before. */
export function timesLine(result: CrashResult): string {
  const { figures, servingAgainMs, receiptsAgainMs, fallbacks, failedStarts } = result;
  const { sessions, delivered, redelivered, refused } = figures;
  return figuresLine({
    ...{ sessions, delivered, redelivered, refused },
    ...{ fallback_kills: fallbacks, failed_starts: failedStarts },
    serving_again_median_ms: median(servingAgainMs),
    serving_again_max_ms: Math.round(Math.max(0, ...servingAgainMs)),
    receipts_again_median_ms: median(receiptsAgainMs),
    receipts_again_max_ms: Math.round(Math.max(0, ...receiptsAgainMs)),
  });
}

/** `key=value` for each figure, in order. */
export function figuresLine(figures: Record<string, number>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** A sentence where too little happened for the figures to mean anything. */
export function provedNothing(result: CrashResult, leastReceiptsAKill: number): string | undefined {
  const { figures, kills, fallbacks } = result;
  if (figures.acked < leastReceiptsAKill * kills) {
    return `proved nothing: ${figures.acked} receipts are fewer than ${leastReceiptsAKill} a kill`;
  }
  if (figures.resent === 0) return "proved nothing: nothing was sent again";
  if (fallbacks === kills) return "proved nothing: no hub ended by itself";
  return undefined;
}

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
