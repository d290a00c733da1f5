import type { PausedClient } from "./run-clients.ts";

/** What waits for an application by default, in MiB (`maxBufferedBytes` of the client). */
const BUFFERED_MIB = 16;
/**
 * What a client may hold more than before, garbage not counted: what waits, and what is on its way
 * through the transport.
 */
export const ALLOWED_CLIENT_LIVE_MIB = BUFFERED_MIB + 4;
/**
 * What its process may grow by: the same, with room for a heap that has been through more and for
 * compiled code.
 */
export const ALLOWED_CLIENT_GROWTH_MIB = BUFFERED_MIB + 64;
/** A client without a bound would hold what was sent: so many times more than what is allowed. */
const LEAST_FLOOD = 4;

/** What is wrong with them, in sentences. @param sent messages to each of them */
export function judgeClients(
  clients: PausedClient[],
  sent: { messages: number; mib: number },
): string[] {
  const problems: string[] = [];
  for (const { pause, rssGrowthMib, liveGrowthMib, cameIn } of clients) {
    const who = `the process of a client whose application is ${pause}`;
    if (liveGrowthMib > ALLOWED_CLIENT_LIVE_MIB) {
      problems.push(`${who} holds ${liveGrowthMib.toFixed(1)} MiB more than before`);
    }
    if (rssGrowthMib > ALLOWED_CLIENT_GROWTH_MIB) {
      problems.push(`${who} grew by ${rssGrowthMib.toFixed(1)} MiB`);
    }
    // Otherwise it was the hub's bound that held.
    if (pause === "asking" && cameIn < sent.messages) {
      problems.push(`${who} was sent ${cameIn} messages of ${sent.messages}`);
    }
  }
  if (sent.mib < LEAST_FLOOD * ALLOWED_CLIENT_LIVE_MIB) {
    problems.push(`${sent.mib.toFixed(0)} MiB for each client prove nothing: send more`);
  }
  return problems;
}
