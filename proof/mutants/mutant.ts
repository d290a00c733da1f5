import type { Edit } from "../patches/patched-source.ts";

/** Who must notice a seeded bug; `validators.ts` says how each is run. */
export type ValidatorName =
  | "clock"
  | "crash"
  | "cuts"
  | "failpoints"
  | "floods"
  | "fuzz"
  | "half-open"
  | "judge-client"
  | "matrix"
  | "model"
  | "power-loss"
  | "rolling"
  | "stalled"
  | "storage"
  | "syscalls";

/** A bug put into the hub on purpose. */
export interface Mutant {
  /** Words with hyphens between them. */
  name: string;
  /** What is broken, as a sentence about the hub. */
  what: string;
  edits: readonly Edit[];
  caughtBy: ValidatorName;
  /** The validator mostly waits for what never comes, and may do so while others run. */
  beside?: true;
  /** More words for the validator, such as the one case that is meant. */
  words?: readonly string[];
  /**
   * What the validator must say: figures of its last line, one of which must be above 0, or above
   * or below the number that stands with it, as in `rss_growth_mib>64`. Missing for `model`, which
   * says it by a counterexample, and for `matrix` and `floods`, which say it by a test that failed.
   */
  figures?: readonly string[];
}

/** A condition that holds once in so many times, counted over the whole process. */
export function onceIn(times: number): string {
  return `(globalThis.mutantPasses = (globalThis.mutantPasses ?? 0) + 1) % ${times} === 0`;
}
