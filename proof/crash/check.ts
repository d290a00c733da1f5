import type { DatabaseSync } from "node:sqlite";
import { CHECKS, type Fault } from "./checks.ts";

/** What a checker found. */
export interface Findings {
  /** Violations of each kind. */
  counts: Record<Fault, number>;
  /** Some of them, in words. */
  sentences: string[];
  figures: {
    /** Entries with a receipt. */
    acked: number;
    /** Frames sent again under the same key. */
    resent: number;
    /** Deliveries, and those of them that had come in an earlier session. */
    delivered: number;
    redelivered: number;
    sessions: number;
    refused: number;
  };
}

/** Violations of one kind that are put into words. */
const SHOWN = 3;

/** Asks every question of the evidence that `gatherEvidence` made. */
export function check(evidence: DatabaseSync): Findings {
  const counts: Record<Fault, number> = { lost: 0, duplicated: 0, misordered: 0, gaps: 0 };
  const sentences: string[] = [];
  for (const { name, counted, sql } of CHECKS) {
    let found = 0;
    for (const row of evidence.prepare(sql).iterate()) {
      found += 1;
      if (found <= SHOWN) sentences.push(`${counted}: ${name}: ${JSON.stringify(row)}`);
    }
    counts[counted] += found;
    if (found > SHOWN) sentences.push(`${counted}: ${name}: ${found - SHOWN} more`);
  }
  const figure = (sql: string) => Number(evidence.prepare(`SELECT (${sql}) AS n`).get()?.n);
  return {
    counts,
    sentences,
    figures: {
      acked: figure("SELECT count(*) FROM (SELECT DISTINCT agent, kind, key FROM receipts)"),
      resent: figure(
        "(SELECT count(*) FROM sent) - (SELECT count(*) FROM (SELECT DISTINCT agent, kind, key FROM sent))",
      ),
      delivered: figure("SELECT count(*) FROM delivered"),
      redelivered: figure(
        "(SELECT count(*) FROM delivered) - (SELECT count(*) FROM (SELECT DISTINCT agent, channel, seq FROM delivered))",
      ),
      sessions: figure("SELECT count(*) FROM sessions"),
      refused: figure("SELECT count(*) FROM refused"),
    },
  };
}
