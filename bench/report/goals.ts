/** What a goal asks of a figure. */
interface GoalTerms {
  /** What is measured, in words. */
  what: string;
  /** What the figure counts. */
  unit: string;
  /** Whether the figure has to be at least or at most so large. */
  bound: "at least" | "at most";
  /** What has to be reached. */
  must: number;
  /** What is wanted. */
  aim: number;
}

/** A goal and how it was met. */
export interface Goal extends GoalTerms {
  id: GoalId;
  /** null: not measured in this run, or not on this machine. */
  measured: number | null;
  /** Whether `must` is reached; null where nothing was measured. */
  met: boolean | null;
  /** What else has to be known about the figure. */
  note: string;
}

/** Every goal, in the order of the table. */
export const GOALS = {
  throughput: {
    what: "stored messages a second, 64 pairs with 32 in flight",
    unit: "× baseline",
    bound: "at least",
    must: 2,
    aim: 2.5,
  },
  cpu: {
    what: "the hub's CPU time for a stored message",
    unit: "× baseline",
    bound: "at most",
    must: 0.5,
    aim: 0.35,
  },
  idle_memory: {
    what: "memory of an idle session",
    unit: "× baseline",
    bound: "at most",
    must: 1.15,
    aim: 1.15,
  },
  latency: {
    what: "stored and delivered, one in flight",
    unit: "× (baseline + a sync)",
    bound: "at most",
    must: 1.5,
    aim: 1.5,
  },
  stored_cost: {
    what: "CPU time for a message in a full database",
    unit: "× empty database",
    bound: "at most",
    must: 1.2,
    aim: 1.2,
  },
  history_page: {
    what: "a history page of 50, asked for and received",
    unit: "ms",
    bound: "at most",
    must: 0.5,
    aim: 0.5,
  },
  resuming: {
    what: "agents that come back to 100 messages each",
    unit: "× live delivery",
    bound: "at least",
    must: 1,
    aim: 1,
  },
  ahead: {
    what: "stored messages a second, beside the best of the others",
    unit: "× that one",
    bound: "at least",
    must: 1,
    aim: 1,
  },
  slow_disk_rate: {
    what: "the rate when every sync takes 5 ms longer",
    unit: "× undelayed",
    bound: "at least",
    must: 0.6,
    aim: 0.6,
  },
  slow_disk_event_loop: {
    what: "the event loop's delay then, p99",
    unit: "ms",
    bound: "at most",
    must: 20,
    aim: 20,
  },
} as const satisfies Record<string, GoalTerms>;

export type GoalId = keyof typeof GOALS;

/** What a run found out about the goals. */
export type Findings = Partial<Record<GoalId, { measured: number; note?: string }>>;

/** Judges every goal; one that was not measured stays open. */
export function judge(findings: Findings): Goal[] {
  return (Object.keys(GOALS) as GoalId[]).map((id) => {
    const terms: GoalTerms = GOALS[id];
    const found = findings[id];
    const measured = found === undefined || Number.isNaN(found.measured) ? null : found.measured;
    const met = measured === null ? null : reaches(terms, measured);
    return { id, ...terms, measured, met, note: found?.note ?? "" };
  });
}

function reaches({ bound, must }: GoalTerms, measured: number): boolean {
  return bound === "at least" ? measured >= must : measured <= must;
}
