import { refuse } from "../protocol/refusals.js";

/** How many sessions each agent has open. */
export interface SessionPlaces {
  /**
   * Takes a place for a session, where there is one.
   * @param takesOver it replaces the agent's receiving session, whose place is free only when its
   *   client has gone: one session more is let in for that (I4)
   */
  take(agentId: string, takesOver: boolean): boolean;
  free(agentId: string): void;
}

/** @param maxSessions of one agent; 0: any number */
export function createSessionPlaces(maxSessions: number): SessionPlaces {
  const taken = new Map<string, number>();
  return {
    take(agentId, takesOver) {
      const count = taken.get(agentId) ?? 0;
      if (maxSessions > 0 && count >= maxSessions + (takesOver ? 1 : 0)) return false;
      taken.set(agentId, count + 1);
      return true;
    },
    free(agentId) {
      const left = (taken.get(agentId) ?? 0) - 1;
      if (left > 0) taken.set(agentId, left);
      else taken.delete(agentId);
    },
  };
}

/** What a session gets that finds no place. */
export const TOO_MANY_SESSIONS = refuse(
  "TOO_MANY_SESSIONS",
  "this agent has as many sessions open as it may; close one first",
);
