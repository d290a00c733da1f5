import { tokensIn } from "./load.ts";
import { type SentResponse, sentResponses } from "./sent-responses.ts";
import type { TraceEvent } from "./trace-events.ts";

/** An entry of which a response told. */
export interface ToldEntry {
  by: "receipt" | "delivery";
  token: string;
  channelId: string;
  seq: number;
  /** Where in the trace the response's first byte went out, and its last. */
  begunAt: number;
  endedAt: number;
}

/** Every receipt and delivery that left the hub, in order. */
export function toldEntries(events: readonly TraceEvent[]): ToldEntry[] {
  return sentResponses(events).flatMap((sent) => [...receiptsIn(sent), ...deliveryIn(sent)]);
}

function receiptsIn({ response, begunAt, endedAt }: SentResponse): ToldEntry[] {
  return response.receipts.map(({ requestId, channelId, seq }) => {
    return { by: "receipt", token: requestId, channelId, seq: Number(seq), begunAt, endedAt };
  });
}

function deliveryIn({ response: { frame }, begunAt, endedAt }: SentResponse): ToldEntry[] {
  let text: string;
  switch (frame?.$case) {
    case "chatRequest":
    case "chatAccept":
    case "chatMessage":
      text = frame.value.content;
      break;
    case "chatReject":
    case "chatEnd":
      text = frame.value.reason;
      break;
    default:
      return [];
  }
  const { channelId, seq } = frame.value;
  const token = tokensIn(text)[0] ?? "";
  return [{ by: "delivery", token, channelId, seq: Number(seq), begunAt, endedAt }];
}
