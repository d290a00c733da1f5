import type { Findings } from "./goals.ts";

/** What a part of the benchmark found out. */
export interface Part {
  title: string;
  /** A table, or some lines. */
  text: string;
  findings: Findings;
}
