import type { Role } from "../hub/credentials.js";
import { AGENT_ID_KEY } from "../protocol/call-metadata.js";
import { ID_RULE, isValidId } from "../protocol/ids.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import type { CredentialKind, Principal } from "./principal.js";

/** Whom a proved credential may speak for. */
export interface Claim {
  kind: Exclude<CredentialKind, "open">;
  /** Names the credential; default the agent. */
  id?: string;
  /** Default `agent`. */
  role?: Role;
  expiresAtMs?: number;
  allows: (agentId: string) => boolean;
  /** The one agent it stands for; undefined where there are several, or none. */
  only: string | undefined;
}

/** Who calls, or why that is not said. */
export type Named = { principal: Principal } | { refusal: Refusal };

/** Which of the agents of a credential a call comes from, by its `claw-agent-id` (I1). */
export function nameAgent(of: { claim: Claim; agentIds: readonly string[] }): Named {
  const { claim } = of;
  const [asked = "", another] = of.agentIds;
  const agentId = asked === "" ? claim.only : asked;
  if (agentId === undefined) {
    const message = `these credentials stand for several agents: send the call metadata ${AGENT_ID_KEY}`;
    return { refusal: refuse("MISSING_AGENT_ID", message) };
  }
  if (another !== undefined || !isValidId(agentId)) {
    return {
      refusal: refuse("INVALID_ID", `${AGENT_ID_KEY} is not an id; an id is ${ID_RULE}`),
    };
  }
  if (!claim.allows(agentId)) {
    const message = `these credentials do not stand for the agent in ${AGENT_ID_KEY}`;
    return { refusal: refuse("AGENT_NOT_ALLOWED", message) };
  }
  const { kind, id = agentId, role = "agent", expiresAtMs } = claim;
  return { principal: { agentId, role, credential: { kind, id }, expiresAtMs } };
}
