import type { HubLimits } from "../protocol/limits.js";
import { durationOf } from "../protocol/time.js";
import { ReceiveMode } from "../protocol/wire.js";
import { encodeFrame } from "./responses.js";
import { HUB_VERSION } from "./version.js";
import type { WindowLimits } from "./window.js";

/** What a hub says of itself to every session. */
export interface HubFacts {
  storeEpoch: string;
  /** Largest request, in encoded bytes (M7). */
  maxMessageBytes: number;
  /** What a manual session may leave unacked (D5). */
  window: WindowLimits;
  /** How often a client that sends heartbeats should (L3). */
  heartbeatIntervalMs: number;
  limits: HubLimits;
}

/** The encoded first response of a session. @param of.backlog entries about to be replayed, at most */
export function greetingOf(
  hub: HubFacts,
  of: { sessionId: string; agentId: string; mode: ReceiveMode; backlog: number },
): Uint8Array {
  const isManual = of.mode === ReceiveMode.RECEIVE_MODE_MANUAL;
  const { perChannel, total, bytes } = hub.window;
  return encodeFrame({
    $case: "sessionStarted",
    value: {
      sessionId: of.sessionId,
      agentId: of.agentId,
      hubVersion: HUB_VERSION,
      storeEpoch: hub.storeEpoch,
      receiveMode: of.mode,
      backlog: BigInt(of.backlog),
      limits: {
        maxMessageBytes: hub.maxMessageBytes,
        maxUnackedPerChannel: isManual ? perChannel : 0,
        maxUnacked: isManual ? total : 0,
        maxUnackedBytes: isManual ? bytes : 0,
        heartbeatInterval: durationOf(hub.heartbeatIntervalMs),
        ...hub.limits,
      },
    },
  });
}
