import { type CallerWords, connectionTo, type HubUnderTest } from "./hub-under-test.ts";
import { type Match, match, show } from "./match.ts";
import type { Session } from "./session.ts";
import type { Transcript } from "./transcript.ts";
import { filled, type Variables } from "./values.ts";

/** What the steps of one transcript share. */
export interface Stage {
  hub: HubUnderTest;
  variables: Variables;
  sessions: Map<string, Session>;
  patienceMs: number;
  /** A value of the transcript with its variables filled in. */
  fill(value: unknown): unknown;
  /** Compares, and keeps what variables got. @throws Error saying what differs */
  expect(pattern: unknown, actual: unknown): void;
  /** Keeps what variables got. */
  keep(bound: Variables): void;
  /** Who a subject is, where the transcript says nothing else. */
  callerOf(subject: string): CallerWords;
  /** A connection that `close` closes. */
  connection(): ReturnType<typeof connectionTo>;
  close(): Promise<void>;
}

/** A stage for a transcript, on which its agents and services have names that nobody else has. */
export function openStage(
  transcript: Transcript,
  of: { hub: HubUnderTest; run: string; patienceMs: number },
): Stage {
  const { hub, run, patienceMs } = of;
  const prefix = `cf-${run}-${transcript.id}`.toLowerCase();
  const names = [...transcript.agents, ...transcript.services];
  const variables: Variables = new Map(names.map((name) => [name, `${prefix}-${name}`]));
  const sessions = new Map<string, Session>();
  const connections: ReturnType<typeof connectionTo>[] = [];
  const keep = (bound: Variables) => {
    for (const [name, value] of bound) variables.set(name, value);
  };
  return {
    hub,
    variables,
    sessions,
    patienceMs,
    fill: (value) => filled(value, variables),
    keep,
    expect(pattern, actual) {
      const found: Match = match(pattern, actual, variables);
      if ("bound" in found) return keep(found.bound);
      throw new Error(
        `${found.differs}\n    expected ${show(pattern)}\n    came     ${show(actual)}`,
      );
    },
    callerOf(subject) {
      const agent = subject.split("/")[0] ?? "";
      if (agent === "admin") return { key: hub.adminKey };
      return { agentId: String(variables.get(agent)), key: hub.agentKey };
    },
    connection() {
      const made = connectionTo(hub);
      connections.push(made);
      return made;
    },
    async close() {
      await Promise.all([...sessions.values()].map((session) => session.close()));
      for (const connection of connections) connection.close();
    },
  };
}

/** Nothing may have come that no step expected: a heartbeat of each session is answered last. */
export async function checkEnd(stage: Stage): Promise<void> {
  for (const [name, session] of stage.sessions) await nothingMore(name, session);
}

/** @throws Error when something came to a session that no step has taken */
export async function nothingMore(name: string, session: Session): Promise<void> {
  if (session.ended() === undefined) await session.marker();
  const [extra] = session.arrivals.rest();
  if (extra !== undefined) throw new Error(`${name} got what no step expects: ${show(extra)}`);
}
