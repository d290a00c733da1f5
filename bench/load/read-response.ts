/** Reads an encoded ConnectResponse as far as the load generator needs, and copies nothing. */

/** What was in a response. Places are offsets into its bytes. */
export interface ResponseReader {
  /** A receipt: where its request_id lies, its seq, and where its channel_id lies. */
  receipt(bytes: Buffer, id: Span, seq: number, channel: Span): void;
  /** A delivered message: where its content lies, and its seq; 0 where it has none. */
  message(bytes: Buffer, content: Span, seq: number): void;
  sessionStarted(): void;
  /** Anything else, by its field number. */
  other(bytes: Buffer, field: number, value: Span): void;
  /** The response is read to its end. */
  responseRead?(): void;
}

/** Where a value lies. */
export interface Span {
  from: number;
  to: number;
}

const RECEIPTS = 2;
const CHAT_MESSAGE = 13;
const SESSION_STARTED = 30;
/** request_id, replayed, progress: they say nothing about a message. */
const IGNORED: readonly number[] = [1, 3, 32];

/** The value of the varint that was read last, and where it ended. */
let value = 0;
let end = 0;

function readVarint(bytes: Buffer, from: number): void {
  let at = from;
  let byte = bytes[at++] ?? 0;
  value = byte & 0x7f;
  for (let scale = 128; byte >= 128; scale *= 128) {
    byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
  }
  end = at;
}

/** Moves behind a field's value: `value` is its size or number, `end` where it ends. */
function readField(bytes: Buffer, wireType: number, from: number): void {
  if (wireType !== 0 && wireType !== 2) throw new Error(`a field has wire type ${wireType}`);
  readVarint(bytes, from);
  if (wireType === 2) end += value;
}

/** @throws Error where the bytes are no ConnectResponse */
export function readResponse(bytes: Buffer, from: number, to: number, reader: ResponseReader) {
  let at = from;
  while (at < to) {
    readVarint(bytes, at);
    const tag = value;
    readField(bytes, tag & 7, end);
    const span = { from: end - value, to: end };
    at = end;
    const field = tag >>> 3;
    if (field === RECEIPTS) readReceipt(bytes, span, reader);
    else if (field === CHAT_MESSAGE) readMessage(bytes, span, reader);
    else if (field === SESSION_STARTED) reader.sessionStarted();
    else if (!IGNORED.includes(field)) reader.other(bytes, field, span);
  }
  if (at !== to) throw new Error("a response is cut off");
  reader.responseRead?.();
}

function readReceipt(bytes: Buffer, { from, to }: Span, reader: ResponseReader): void {
  const id = { from: 0, to: 0 };
  const channel = { from: 0, to: 0 };
  let seq = 0;
  for (let at = from; at < to; at = end) {
    readVarint(bytes, at);
    const tag = value;
    readField(bytes, tag & 7, end);
    if (tag >>> 3 === 1) place(id);
    if (tag >>> 3 === 2) place(channel);
    if (tag >>> 3 === 3) seq = value;
  }
  reader.receipt(bytes, id, seq, channel);
}

function readMessage(bytes: Buffer, { from, to }: Span, reader: ResponseReader): void {
  const content = { from: 0, to: 0 };
  let seq = 0;
  for (let at = from; at < to; at = end) {
    readVarint(bytes, at);
    const tag = value;
    readField(bytes, tag & 7, end);
    if (tag >>> 3 === 4) place(content);
    if (tag >>> 3 === 6) seq = value;
  }
  reader.message(bytes, content, seq);
}

function place(span: Span): void {
  span.from = end - value;
  span.to = end;
}
