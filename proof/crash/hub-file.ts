import { ChatAccept, ChatEnd, ChatMessage, ChatReject, ChatRequest } from "claw-chat-hub/protocol";
import { type EntryFrame, keyOf, printOf, speakerOf } from "./entry-print.ts";

/** A row of the hub's file. */
export interface EntryRow {
  channel_id: string;
  seq: number;
  kind: number;
  author: string;
  key: string | null;
  body: Uint8Array;
}

/**
 * A stored entry as the checker compares it: channel, seq, kind, author, key, speaker and print.
 * What the columns say and what the body says must be the same; otherwise a fault.
 */
export function readStored(row: EntryRow): { values: (string | number)[] } | { fault: string } {
  const where = `${row.channel_id} seq ${row.seq}`;
  let frame: EntryFrame | undefined;
  try {
    frame = frameOf(row.kind, row.body);
  } catch (error) {
    return { fault: `${where}: the body cannot be decoded: ${error}` };
  }
  if (frame === undefined) return { fault: `${where}: kind ${row.kind}` };
  const { channelId, seq } = frame.value;
  if (channelId !== row.channel_id || Number(seq) !== row.seq) {
    return { fault: `${where}: the body says ${channelId} seq ${seq}` };
  }
  const key = keyOf(frame);
  if (row.key !== null && row.key !== key) return { fault: `${where}: the body's key is ${key}` };
  const speaker = speakerOf(frame);
  if (row.author !== "" && row.author !== speaker) {
    return { fault: `${where}: author ${row.author}, but the body says ${speaker}` };
  }
  const { channel_id, kind: _, author } = row;
  return { values: [channel_id, row.seq, frame.$case, author, key, speaker, printOf(frame)] };
}

function frameOf(kind: number, body: Uint8Array): EntryFrame | undefined {
  switch (kind) {
    case 1:
      return { $case: "chatRequest", value: ChatRequest.decode(body) };
    case 2:
      return { $case: "chatAccept", value: ChatAccept.decode(body) };
    case 3:
      return { $case: "chatReject", value: ChatReject.decode(body) };
    case 4:
      return { $case: "chatMessage", value: ChatMessage.decode(body) };
    case 5:
      return { $case: "chatEnd", value: ChatEnd.decode(body) };
    default:
      return undefined;
  }
}
