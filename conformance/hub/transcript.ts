import type { Need } from "./needs.ts";

/** One conversation with a hub, and what must and must not come of it. */
export interface Transcript {
  /** Begins with the id of its first rule, and is unique. */
  id: string;
  /** A sentence: what the hub does. */
  title: string;
  /** Ids of docs/protocol.md that it shows. */
  rules: string[];
  /** Refusals that it shows: those that its steps expect. */
  refusals: string[];
  needs: Need[];
  /** Short names; the hub is told longer ones, which no other run has. */
  agents: string[];
  /** The same for services. */
  services: string[];
  steps: Step[];
  file: string;
  line: number;
}

/** One step: a subject, what it does, and what must come of it. */
export interface Step {
  /** A session or an agent, or `hub`. */
  subject: string;
  verb: Verb;
  /** What stands behind the verb: a request, patterns, a word. */
  value: unknown;
  /** What stands beside it, such as `receipt` and `refused`. */
  options: Record<string, unknown>;
  line: number;
}

/** What a subject can do, and which other keys may stand beside it. */
export const VERBS = {
  connects: ["started", "refused"],
  sends: ["receipt", "page", "refused", "answer", "answers", "times"],
  "sends bytes": ["refused", "requestId"],
  "is answered": ["times"],
  gets: ["times"],
  "gets nothing": [],
  ends: [],
  "stops reading": [],
  "reads on": [],
  "half-closes": [],
  disconnects: [],
  calls: ["with", "returns", "refused", "agent", "key"],
  restarts: [],
  stops: [],
  crashes: [],
  starts: [],
  "creates key": ["as"],
  "revokes key": [],
  "locks database": [],
  "unlocks database": [],
} as const satisfies Record<string, readonly string[]>;

/** What a step does. */
export type Verb = keyof typeof VERBS;

/** The verbs of the subject `hub`. */
export const HUB_VERBS: readonly Verb[] = [
  "restarts",
  "stops",
  "crashes",
  "starts",
  "creates key",
  "revokes key",
  "locks database",
  "unlocks database",
];
