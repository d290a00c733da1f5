import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { EntryKind, StoredEntry } from "../hub/entry.js";
import { type Refusal, refusalKind } from "../protocol/refusals.js";
import { durationOf } from "../protocol/time.js";
import { type ChatError, ConnectResponse, type Receipt } from "../protocol/wire.js";

/** Encoded ConnectResponses: a session's outbox holds nothing else. */

type ResponseFrame = NonNullable<ConnectResponse["frame"]>;

/** Field numbers of the delivered frames in ConnectResponse. */
const FRAME_FIELD: Record<EntryKind, number> = {
  chatRequest: 10,
  chatAccept: 11,
  chatReject: 12,
  chatMessage: 13,
  chatEnd: 14,
};
const REPLAYED_FIELD = 3;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A delivery: the stored bytes of the entry, in their envelope. Nothing is encoded a second time. */
export function encodeDelivery(entry: StoredEntry, replayed: boolean): Uint8Array {
  const writer = new BinaryWriter();
  if (replayed) writer.tag(REPLAYED_FIELD, VARINT).bool(true);
  return writer.tag(FRAME_FIELD[entry.kind], LENGTH_DELIMITED).bytes(entry.body).finish();
}

/** A word of the hub, or an answer that is no receipt. */
export function encodeFrame(frame: ResponseFrame | undefined, requestId = ""): Uint8Array {
  const response: ConnectResponse = { requestId, receipts: [], replayed: false, frame };
  return ConnectResponse.encode(response).finish();
}

/** Receipts of one commit to one session, in the order of their storing. */
export function encodeReceipts(receipts: Receipt[]): Uint8Array {
  const response: ConnectResponse = { requestId: "", receipts, replayed: false, frame: undefined };
  return ConnectResponse.encode(response).finish();
}

/** A refusal as the wire has it. */
export function chatErrorOf({ reason, message, ...own }: Refusal): ChatError {
  const { code, retryable, ...kind } = refusalKind(reason);
  const retryAfterMs = own.retryAfterMs ?? kind.retryAfterMs;
  return {
    code,
    reason,
    message,
    retryable,
    retryAfter: retryAfterMs === undefined ? undefined : durationOf(retryAfterMs),
  };
}
