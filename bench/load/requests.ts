import { ConnectRequest } from "claw-chat-hub/protocol";
import { uuidv7 } from "uuidv7";

/** The encoded messages of one flow: encoded once, and then only their digits change. */
export interface MessageTemplate {
  /** The request with this number; valid until the next call. */
  numbered(number: number): Uint8Array;
}

/** Hex digits of a message's number, and of the number of its flow, at the start of its content. */
export const DIGITS = 8;
const REQUEST_ID = "request!";
/** The smallest content: two numbers. */
const MIN_CONTENT = 2 * DIGITS;

/**
 * @param of.channelId where the messages go
 * @param of.flow number of the flow, which is in every content
 * @param of.sizeBytes size of a content
 */
export function createTemplate(of: {
  channelId: string;
  flow: number;
  sizeBytes: number;
}): MessageTemplate {
  // Ascending, as the client's own ids, and never the same twice.
  const uuid = uuidv7();
  const idStart = uuid.slice(0, -DIGITS);
  const content = contentOf(of.flow, of.sizeBytes).toString("latin1");
  const encoded = ConnectRequest.encode({
    ...ConnectRequest.create(),
    requestId: REQUEST_ID,
    frame: messageFrame({
      messageId: uuid,
      channelId: of.channelId,
      content,
    }),
  }).finish();
  const bytes = Buffer.from(encoded);
  const requestIdAt = bytes.indexOf(REQUEST_ID);
  const idAt = bytes.indexOf(idStart) + idStart.length;
  const contentAt = bytes.indexOf(content);
  return {
    numbered(number) {
      writeHex(bytes, requestIdAt, number);
      writeHex(bytes, idAt, number);
      writeHex(bytes, contentAt, number);
      return bytes;
    },
  };
}

/** The content of message 0 of a flow; for another one its first digits change. */
export function contentOf(flow: number, sizeBytes: number): Buffer {
  const content = Buffer.alloc(Math.max(sizeBytes, MIN_CONTENT));
  for (let at = 0; at < content.length; at += 1) content[at] = 97 + ((at * 7 + flow) % 26);
  writeHex(content, 0, 0);
  writeHex(content, DIGITS, flow);
  return content;
}

/** The request that opens a chat, or finds it again. */
export function encodeOpening(targetAgent: string): Uint8Array {
  const content = "hello";
  return ConnectRequest.encode({
    ...ConnectRequest.create(),
    requestId: "opening",
    frame: messageFrame({ messageId: uuidv7(), targetAgent, content }),
  }).finish();
}

function messageFrame(set: {
  messageId?: string;
  channelId?: string;
  content: string;
  targetAgent?: string;
}): ConnectRequest["frame"] {
  const empty = ConnectRequest.fromPartial({ frame: { $case: "chatMessage", value: set } });
  return empty.frame;
}

/** A request with nothing but acks. */
export function encodeAcks(acks: { channelId: string; seq: number }[]): Uint8Array {
  const positions = acks.map(({ channelId, seq }) => ({ channelId, seq: BigInt(seq) }));
  return ConnectRequest.encode({ ...ConnectRequest.create(), acks: positions }).finish();
}

const HEX = Buffer.from("0123456789abcdef");

/** Writes eight hex digits. */
export function writeHex(bytes: Uint8Array, at: number, value: number): void {
  for (let digit = 0; digit < DIGITS; digit += 1) {
    bytes[at + digit] = HEX[(value >>> (28 - digit * 4)) & 15] ?? 0;
  }
}

/** Reads eight hex digits; -1 where they are none. */
export function readHex(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const byte = bytes[at + digit] ?? 0;
    const isNumber = byte >= 48 && byte <= 57;
    if (!isNumber && !(byte >= 97 && byte <= 102)) return -1;
    value = value * 16 + (isNumber ? byte - 48 : byte - 87);
  }
  return value;
}
