import { ConnectResponse, SessionStarted } from "claw-chat-hub/protocol";

/** The tag of a request_id, in a request and in a receipt, and that of acks and receipts. */
const REQUEST_ID = 0x0a;
const RECEIPTS = 0x12;

/** What a system that has no sessions is taken to say when an agent is ready. */
export const SESSION_STARTED = Buffer.from(
  ConnectResponse.encode({
    ...ConnectResponse.create(),
    frame: { $case: "sessionStarted", value: SessionStarted.create() },
  }).finish(),
);

/** Whether an encoded request has a frame, and is not just acks. */
export function hasFrame(request: Uint8Array, from = 0): boolean {
  return request[from] === REQUEST_ID;
}

/** A response with the receipt for an encoded request, as far as it can be told from that alone. */
export function receiptFor(request: Uint8Array, from = 0): Buffer {
  // request_id has the same number in a request, a response and a receipt.
  const idBytes = 2 + (request[from + 1] ?? 0);
  const bytes = Buffer.allocUnsafe(2 + idBytes);
  bytes[0] = RECEIPTS;
  bytes[1] = idBytes;
  bytes.set(request.subarray(from, from + idBytes), 2);
  return bytes;
}
