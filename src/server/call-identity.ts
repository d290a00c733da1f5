import { Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import {
  AGENT_ID_KEY,
  REASON_KEY,
  RECEIVE_KEY,
  RETRY_AFTER_KEY,
} from "../protocol/call-metadata.js";
import { ID_RULE, isValidId } from "../protocol/ids.js";
import { type Refusal, refusalKind, refuse } from "../protocol/refusals.js";
import { ReceiveMode } from "../protocol/wire.js";

/** Who a call says that it comes from, where a hub asks for no credentials (I2, I3). */
export function claimedAgent(metadata: Metadata): { agentId: string } | { refusal: Refusal } {
  const [agentId, another] = metadata.get(AGENT_ID_KEY).map(String);
  if (agentId === undefined || agentId === "") {
    return {
      refusal: refuse(
        "MISSING_AGENT_ID",
        `send the call metadata ${AGENT_ID_KEY} with the id of the agent that is speaking`,
      ),
    };
  }
  if (another !== undefined || !isValidId(agentId)) {
    return { refusal: refuse("INVALID_ID", `${AGENT_ID_KEY} is no id; an id is ${ID_RULE}`) };
  }
  return { agentId };
}

const MODES: Record<string, ReceiveMode> = {
  none: ReceiveMode.RECEIVE_MODE_NONE,
  manual: ReceiveMode.RECEIVE_MODE_MANUAL,
  auto: ReceiveMode.RECEIVE_MODE_AUTO,
};

/** What a session asks to receive. */
export function receiveMode(metadata: Metadata): { mode: ReceiveMode } | { refusal: Refusal } {
  const [asked = "none", another] = metadata.get(RECEIVE_KEY).map(String);
  const mode = Object.hasOwn(MODES, asked) ? MODES[asked] : undefined;
  if (mode === undefined || another !== undefined) {
    return { refusal: refuse("BAD_VALUE", `${RECEIVE_KEY} is one of none, manual and auto`) };
  }
  return { mode };
}

/** A refusal as the gRPC status that ends a call; the trailer holds its stable word. */
export function statusOf({
  reason,
  message,
  retryAfterMs,
}: Refusal): Partial<StatusObject> & ServiceError {
  const metadata = new Metadata();
  metadata.set(REASON_KEY, reason);
  const waitMs = retryAfterMs ?? refusalKind(reason).retryAfterMs;
  if (waitMs !== undefined) metadata.set(RETRY_AFTER_KEY, String(Math.ceil(waitMs)));
  const details = `${reason}: ${message}`;
  return Object.assign(new Error(details), {
    code: refusalKind(reason).code,
    details,
    metadata,
  });
}
