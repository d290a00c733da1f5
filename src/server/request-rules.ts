import { BinaryReader } from "@bufbuild/protobuf/wire";
import { decodeChecked } from "../protocol/decode.js";
import { LENGTH_DELIMITED } from "../protocol/encoded-fields.js";
import * as field from "../protocol/field-rules.js";
import { checkFrame, type RequestFrame } from "../protocol/frame-rules.js";
import { MAX_ACKS } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { sentMessageOf } from "../protocol/sent-message.js";
import { type ChannelPosition, ConnectRequest } from "../protocol/wire.js";
import { scanRequest } from "./scan-request.js";

interface Request {
  requestId: string;
  acks: ChannelPosition[];
  setAside: ChannelPosition[];
  heartbeat: boolean;
  frame: RequestFrame | undefined;
}

/** A request of a session, and what can be said of it without the database. */
export interface CheckedRequest extends Request {
  /** To be echoed; empty where it is no key, for then it may be of any size (M7). */
  requestId: string;
  /** Why it is refused; undefined where it is in order. */
  refusal: Refusal | undefined;
}

const NOTHING = { acks: [], setAside: [], heartbeat: false, frame: undefined };

/**
 * Decodes and checks a request (M5, M7, I5). What is too large is not decoded at all: a few
 * megabytes of empty fields would become millions of objects.
 * @param bounds of metadata
 * @throws Error when the bytes are no protobuf
 */
export function readRequest(
  bytes: Uint8Array,
  agentId: string,
  maxMessageBytes: number,
  bounds: field.MetadataBounds,
): CheckedRequest {
  const sent = bytes.length <= maxMessageBytes ? scanRequest(bytes) : undefined;
  if (sent !== undefined) return checked({ ...NOTHING, ...sent }, true, agentId, bounds);
  const envelope = readEnvelope(bytes);
  const requestId = field.isKey(envelope.requestId) ? envelope.requestId : "";
  const refusal =
    checkSize(bytes.length, maxMessageBytes) ??
    checkCount("acks", envelope.acks) ??
    checkCount("set_aside", envelope.setAside);
  if (refusal !== undefined) return { ...NOTHING, requestId, refusal };
  const { message, badTextField } = decodeChecked(ConnectRequest, bytes);
  const request = { ...message, frame: frameOf(message) };
  const badText = checkText(badTextField);
  return badText
    ? { ...request, requestId, refusal: badText }
    : checked(request, envelope.hasFrame, agentId, bounds);
}

/** A message is passed on as its sender has encoded it, or as it would be encoded here. */
function frameOf({ frame }: ConnectRequest): RequestFrame | undefined {
  if (frame?.$case !== "chatMessage") return frame;
  return { $case: frame.$case, value: sentMessageOf(frame.value) };
}

function checked(
  request: Request,
  hasFrame: boolean,
  agentId: string,
  bounds: field.MetadataBounds,
): CheckedRequest {
  const { acks, setAside, heartbeat, frame } = request;
  const badRequestId = field.key("request_id", request.requestId);
  const requestId = badRequestId === undefined ? request.requestId : "";
  const refusal = check(request, hasFrame, badRequestId, agentId, bounds);
  return { requestId, acks, setAside, heartbeat, frame, refusal };
}

function checkCount(name: string, positions: number): Refusal | undefined {
  if (positions <= MAX_ACKS) return undefined;
  return refuse("BAD_VALUE", `${name} has more than ${MAX_ACKS} positions`);
}

interface Envelope {
  requestId: string;
  acks: number;
  setAside: number;
  /** Also one that this hub does not know. */
  hasFrame: boolean;
}

/** What stands in a request's envelope, without keeping any of the rest. */
function readEnvelope(bytes: Uint8Array): Envelope {
  const reader = new BinaryReader(bytes);
  const envelope = { requestId: "", acks: 0, setAside: 0, hasFrame: false };
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === REQUEST_ID_FIELD && wireType === LENGTH_DELIMITED) {
      envelope.requestId = reader.string();
      continue;
    }
    if (number >= FIRST_FRAME_FIELD && number <= LAST_FRAME_FIELD) envelope.hasFrame = true;
    if (number === ACKS_FIELD) envelope.acks += 1;
    if (number === SET_ASIDE_FIELD) envelope.setAside += 1;
    reader.skip(wireType, number);
  }
  return envelope;
}

/** Numbers in ConnectRequest. */
const REQUEST_ID_FIELD = 1;
const ACKS_FIELD = 2;
const SET_ASIDE_FIELD = 4;
/** Frames of later versions are among these too. */
const FIRST_FRAME_FIELD = 10;
const LAST_FRAME_FIELD = 29;

function check(
  message: Request,
  hasFrame: boolean,
  badRequestId: Refusal | undefined,
  agentId: string,
  bounds: field.MetadataBounds,
): Refusal | undefined {
  const { acks, setAside, heartbeat, frame } = message;
  const isEmpty = acks.length === 0 && setAside.length === 0 && !heartbeat;
  // What stands beside a frame that is not known must not pass for its answer (M5).
  if (frame === undefined && (hasFrame || isEmpty)) {
    return refuse(
      "EMPTY_FRAME",
      "the request holds no frame that this hub knows; send one of the six, acks or a heartbeat",
    );
  }
  return (
    badRequestId ??
    checkPositions("acks", acks) ??
    checkPositions("set_aside", setAside) ??
    (frame === undefined ? undefined : checkFrame(frame, agentId, bounds))
  );
}

function checkPositions(name: string, positions: ChannelPosition[]): Refusal | undefined {
  for (const { channelId } of positions) {
    const refusal =
      field.required(`${name}.channel_id`, channelId, "name the channel of the position") ??
      field.key(`${name}.channel_id`, channelId);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Whether a request has a size that this hub takes (M7). */
export function checkSize(sizeBytes: number, maxMessageBytes: number): Refusal | undefined {
  if (sizeBytes <= maxMessageBytes) return undefined;
  return refuse(
    "MESSAGE_TOO_LARGE",
    `the request has ${sizeBytes} bytes, this hub takes at most ${maxMessageBytes}`,
  );
}

/** Refuses text that is not UTF-8, where decoding found some (I5). */
export function checkText(badTextField: string | undefined): Refusal | undefined {
  if (badTextField === undefined) return undefined;
  return refuse("BAD_TEXT", `${badTextField} is not valid UTF-8; send bytes in data`);
}
