import type { Edit } from "../patches/patched-source.ts";

/** A bug put into the hub on purpose, which breaks a rule where others can see it. */
export interface RuleMutant {
  /** Words with hyphens between them. */
  name: string;
  /** What is broken, as a sentence about the hub. */
  what: string;
  edits: readonly Edit[];
  /** The ids of the transcripts that must fail. */
  fails: readonly string[];
}

/** A bug of one line. */
export function broken(of: Edit & Omit<RuleMutant, "edits">): RuleMutant {
  const { name, what, fails, file, find, replace } = of;
  return { name, what, fails, edits: [{ file, find, replace }] };
}
