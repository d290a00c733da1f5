import type { CastMember } from "../crash/cast.ts";

/** Agents on the package's client in two processes, each of which talks to the next. */
export function rollingCast(clients: number): CastMember[] {
  return Array.from({ length: clients }, (_, index) => ({
    id: `agent-${index}`,
    process: index % 2,
    client: "package",
    part: { does: "chat", peers: [`agent-${(index + 1) % clients}`] },
    pipelined: 2,
    // Enough for a steady load of many, and not so much that they wait for each other.
    pauseMs: 50,
  }));
}
