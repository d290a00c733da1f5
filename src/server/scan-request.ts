import { EncodedFields } from "../protocol/encoded-fields.js";
import { type SentMessage, scanMessage } from "../protocol/sent-message.js";

/** Numbers in ConnectRequest. */
const REQUEST_ID = 1;
const CHAT_MESSAGE = 13;

/**
 * Reads the request that nearly all are: a message, perhaps with a request_id, and nothing else.
 * It is not decoded, for its content is only passed on.
 * @returns undefined where the request is another, or in any way unusual: then it has to be decoded
 */
export function scanRequest(
  bytes: Uint8Array,
): { requestId: string; frame: { $case: "chatMessage"; value: SentMessage } } | undefined {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new EncodedFields(buffer);
  let requestId = "";
  let message: Buffer | undefined;
  while (fields.next()) {
    const { number, start, end } = fields;
    if (number === REQUEST_ID && requestId === "") {
      requestId = buffer.toString("utf8", start, end);
    } else if (number === CHAT_MESSAGE && message === undefined) {
      message = buffer.subarray(start, end);
    } else {
      return undefined;
    }
  }
  // Decoders put this letter in the place of bytes that are no text.
  if (message === undefined || fields.isBroken || requestId.includes("\ufffd")) return undefined;
  const value = scanMessage(message);
  return value && { requestId, frame: { $case: "chatMessage", value } };
}
