import type { EntryReceipt, HistoryPage } from "../hub/answer.js";
import type { EntryKind, StoredEntry } from "../hub/entry.js";
import { enclose } from "../protocol/byte-writer.js";
import { encode, encodeWith } from "../protocol/encode.js";
import { LENGTH_DELIMITED, VARINT } from "../protocol/encoded-fields.js";
import { encodedTimestamp } from "../protocol/encoded-timestamp.js";
import { type Refusal, refusalKind } from "../protocol/refusals.js";
import { durationOf } from "../protocol/time.js";
import { type ChatError, ChatHistoryPage, ConnectResponse } from "../protocol/wire.js";

/** Encoded ConnectResponses: a session's outbox holds nothing else. */

type ResponseFrame = NonNullable<ConnectResponse["frame"]>;

/** Tags of the delivered frames in ConnectResponse: their field numbers, length-delimited. */
const LIVE_HEADS: Record<EntryKind, readonly number[]> = {
  chatRequest: [(10 << 3) | 2],
  chatAccept: [(11 << 3) | 2],
  chatReject: [(12 << 3) | 2],
  chatMessage: [(13 << 3) | 2],
  chatEnd: [(14 << 3) | 2],
};
/** `replayed: true`, which is field 3. */
const REPLAYED = [3 << 3, 1];
const REPLAYED_HEADS: typeof LIVE_HEADS = {
  chatRequest: [...REPLAYED, ...LIVE_HEADS.chatRequest],
  chatAccept: [...REPLAYED, ...LIVE_HEADS.chatAccept],
  chatReject: [...REPLAYED, ...LIVE_HEADS.chatReject],
  chatMessage: [...REPLAYED, ...LIVE_HEADS.chatMessage],
  chatEnd: [...REPLAYED, ...LIVE_HEADS.chatEnd],
};

/** A delivery: the stored bytes of the entry, in their envelope. Nothing is encoded a second time. */
export function encodeDelivery(entry: StoredEntry, replayed: boolean): Uint8Array {
  return enclose((replayed ? REPLAYED_HEADS : LIVE_HEADS)[entry.kind], entry.body);
}

/** A word of the hub, or an answer that is no receipt. */
export function encodeFrame(frame: ResponseFrame | undefined, requestId = ""): Uint8Array {
  const response: ConnectResponse = { requestId, receipts: [], replayed: false, frame };
  return encode(ConnectResponse, response);
}

/** A page of history: the stored bytes of its messages, and what is said of them. */
export function encodePage({ bodies, ...page }: HistoryPage, requestId: string): Uint8Array {
  return encodeWith((writer) => {
    // request_id and chat_history of ConnectResponse, and in it messages of ChatHistoryPage.
    if (requestId !== "") writer.tag(1, LENGTH_DELIMITED).string(requestId);
    writer.tag(15, LENGTH_DELIMITED).fork();
    ChatHistoryPage.encode({ ...page, messages: [] }, writer);
    for (const body of bodies) writer.tag(2, LENGTH_DELIMITED).bytes(body);
    writer.join();
  });
}

/** A receipt, and the request that it answers. */
export interface AnsweredRequest {
  requestId: string;
  receipt: EntryReceipt;
}

/** Receipts of one commit to one session, in the order of their storing. */
export function encodeReceipts(answered: readonly AnsweredRequest[]): Uint8Array {
  return encodeWith((writer) => {
    for (const { requestId, receipt } of answered) {
      const { channelId, seq, messageId, storedAtMs, duplicate } = receipt;
      // receipts of ConnectResponse, and in it the fields of Receipt.
      writer.tag(2, LENGTH_DELIMITED).fork();
      if (requestId !== "") writer.tag(1, LENGTH_DELIMITED).string(requestId);
      writer.tag(2, LENGTH_DELIMITED).string(channelId).tag(3, VARINT).uint64(seq);
      if (messageId !== "") writer.tag(4, LENGTH_DELIMITED).string(messageId);
      writer.tag(5, LENGTH_DELIMITED).bytes(encodedTimestamp(storedAtMs));
      if (duplicate) writer.tag(6, VARINT).bool(duplicate);
      writer.join();
    }
  });
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
