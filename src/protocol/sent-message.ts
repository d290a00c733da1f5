import { isUtf8 } from "node:buffer";
import { encode, encodeWith } from "./encode.js";
import { EncodedFields, LENGTH_DELIMITED, VARINT } from "./encoded-fields.js";
import { encodedTimestamp } from "./encoded-timestamp.js";
import { ChatMessage } from "./wire.js";

/** A chat_message as its sender encoded it: its content is checked and passed on, but never looked at. */
export interface SentMessage
  extends Pick<
    ChatMessage,
    | "messageId"
    | "channelId"
    | "senderId"
    | "targetAgent"
    | "serviceId"
    | "contentType"
    | "replyTo"
    | "metadata"
  > {
  /** It has neither content nor data. */
  isEmpty: boolean;
  /** It fills seq, or timestamp. */
  setsSeq: boolean;
  setsTimestamp: boolean;
  /**
   * The encoded ChatMessage: no field but those that the proto has, each at most once, and valid
   * text. Fields that the hub sets may be written behind it.
   */
  bytes: Uint8Array;
}

/** A message that was decoded as a whole. */
export function sentMessageOf(message: ChatMessage): SentMessage {
  const { messageId, channelId, senderId, targetAgent, serviceId } = message;
  const { contentType, replyTo, metadata } = message;
  return {
    ...{ messageId, channelId, senderId, targetAgent, serviceId, contentType, replyTo, metadata },
    isEmpty: message.content === "" && message.data.length === 0,
    setsSeq: message.seq !== 0n,
    setsTimestamp: message.timestamp !== undefined,
    bytes: encode(ChatMessage, message),
  };
}

const NO_METADATA: ReadonlyMap<string, string> = new Map();
/** What decoders put in the place of bytes that are no text. */
const REPLACEMENT = "\ufffd";

/**
 * Reads what the hub needs of an encoded ChatMessage and leaves the rest as it is: parsers differ
 * in what they make of a field that comes twice, is unknown, or is no text, so bytes with any
 * of those are not passed on (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
 * @returns undefined where the message has to be decoded as a whole, with metadata for one
 */
export function scanMessage(bytes: Buffer): SentMessage | undefined {
  const sent: SentMessage = {
    messageId: "",
    channelId: "",
    senderId: "",
    targetAgent: "",
    serviceId: "",
    contentType: "",
    replyTo: "",
    metadata: NO_METADATA as Map<string, string>,
    isEmpty: true,
    setsSeq: false,
    setsTimestamp: false,
    bytes,
  };
  let seen = 0;
  const fields = new EncodedFields(bytes);
  while (fields.next()) {
    const { number, start, end } = fields;
    const once = 1 << number;
    // An empty one was written by hand, and the hub may want to fill it.
    if (end === start || (seen & once) !== 0) return undefined;
    seen |= once;
    switch (number) {
      case 1:
        sent.messageId = bytes.toString("utf8", start, end);
        break;
      case 2:
        sent.channelId = bytes.toString("utf8", start, end);
        break;
      case 3:
        sent.senderId = bytes.toString("utf8", start, end);
        break;
      case 4:
        if (!isUtf8(bytes.subarray(start, end))) return undefined;
        sent.isEmpty = false;
        break;
      case 7:
        sent.targetAgent = bytes.toString("utf8", start, end);
        break;
      case 8:
        sent.serviceId = bytes.toString("utf8", start, end);
        break;
      case 9:
        sent.contentType = bytes.toString("utf8", start, end);
        break;
      case 10:
        sent.isEmpty = false;
        break;
      case 12:
        sent.replyTo = bytes.toString("utf8", start, end);
        break;
      default:
        return undefined;
    }
  }
  if (fields.isBroken) return undefined;
  return isText(sent) ? sent : undefined;
}

function isText(sent: SentMessage): boolean {
  return !(
    sent.messageId.includes(REPLACEMENT) ||
    sent.channelId.includes(REPLACEMENT) ||
    sent.senderId.includes(REPLACEMENT) ||
    sent.targetAgent.includes(REPLACEMENT) ||
    sent.serviceId.includes(REPLACEMENT) ||
    sent.contentType.includes(REPLACEMENT) ||
    sent.replyTo.includes(REPLACEMENT)
  );
}

/** What the hub says of a message. */
export interface MessagePlace {
  messageId: string;
  channelId: string;
  senderId: string;
  seq: number;
  storedAtMs: number;
}

/** The message as it is stored and delivered: the sender's bytes, and behind them the hub's fields. */
export function completeMessage(sent: SentMessage, place: MessagePlace): Uint8Array {
  return encodeWith((writer) => {
    writer.raw(sent.bytes);
    if (sent.messageId === "") writer.tag(1, LENGTH_DELIMITED).string(place.messageId);
    if (sent.channelId === "") writer.tag(2, LENGTH_DELIMITED).string(place.channelId);
    if (sent.senderId === "") writer.tag(3, LENGTH_DELIMITED).string(place.senderId);
    writer.tag(5, LENGTH_DELIMITED).bytes(encodedTimestamp(place.storedAtMs));
    writer.tag(6, VARINT).uint64(place.seq);
  });
}
