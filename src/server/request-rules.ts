import type { Decoded } from "../protocol/decode.js";
import * as field from "../protocol/field-rules.js";
import { checkFrame } from "../protocol/frame-rules.js";
import { MAX_ACKS } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import type { ConnectRequest } from "../protocol/wire.js";

/**
 * Whether a request of a session is in order, as far as it can be told without
 * the database (M5, M7, I5).
 */
export function checkRequest(
  { message, sizeBytes, badTextField }: Decoded<ConnectRequest>,
  agentId: string,
  maxMessageBytes: number,
): Refusal | undefined {
  if (sizeBytes > maxMessageBytes) return tooLarge(sizeBytes, maxMessageBytes);
  if (badTextField !== undefined) return badText(badTextField);
  const { requestId, acks, heartbeat, frame } = message;
  if (frame === undefined && acks.length === 0 && !heartbeat) {
    return refuse(
      "EMPTY_FRAME",
      "the request holds no frame that this hub knows; send one of the six, acks or a heartbeat",
    );
  }
  return (
    field.key("request_id", requestId) ??
    checkAcks(acks) ??
    (frame === undefined ? undefined : checkFrame(frame, agentId))
  );
}

function checkAcks(acks: ConnectRequest["acks"]): Refusal | undefined {
  if (acks.length > MAX_ACKS)
    return refuse("BAD_VALUE", `acks has more than ${MAX_ACKS} positions`);
  for (const ack of acks) {
    const refusal =
      field.required("acks.channel_id", ack.channelId, "name the channel of the position") ??
      field.key("acks.channel_id", ack.channelId);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

export function tooLarge(sizeBytes: number, maxMessageBytes: number): Refusal {
  return refuse(
    "MESSAGE_TOO_LARGE",
    `the request has ${sizeBytes} bytes, this hub takes at most ${maxMessageBytes}`,
  );
}

export function badText(fieldPath: string): Refusal {
  return refuse("BAD_TEXT", `${fieldPath} is not valid UTF-8; send bytes in data`);
}
