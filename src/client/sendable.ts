import { encode } from "../protocol/encode.js";
import { MAX_TRANSPORT_BYTES } from "../protocol/limits.js";
import { ConnectRequest } from "../protocol/wire.js";
import { argumentError } from "./errors.js";

/**
 * Encodes a request once before it is sent, because one that the transport cannot take ends
 * the session, and with it everybody else's calls, each time it is sent (M5).
 * @throws ChatHubError MESSAGE_TOO_LARGE, or BAD_OPTION where a value is not what the wire takes
 */
export function checkSendable(request: ConnectRequest): void {
  const bytes = encodedBytes(request);
  if (bytes <= MAX_TRANSPORT_BYTES) return;
  throw argumentError(
    "MESSAGE_TOO_LARGE",
    `the request has ${bytes} bytes, more than the ${MAX_TRANSPORT_BYTES} that any hub takes`,
  );
}

function encodedBytes(request: ConnectRequest): number {
  try {
    return encode(ConnectRequest, request).length;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw argumentError("BAD_OPTION", `the request cannot be encoded: ${detail}`);
  }
}
