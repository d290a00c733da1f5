import { ConnectRequest, type ConnectResponse } from "claw-chat-hub/protocol";
import type { Mode } from "./words.ts";

/** A bare session that may leave what is sent to it unread. */
export interface Reader {
  /** Reads from now on. */
  read(): void;
  send(request: ConnectRequest): void;
}

/** How a kind of reader is opened. */
export type OpenReader = (of: {
  address: string;
  agentId: string;
  mode: Mode;
  /** Begins with its eyes shut. */
  shut: boolean;
  onResponse(response: ConnectResponse): void;
  onEnd(): void;
}) => Reader;

/** The channel and seq of a delivery; undefined where a response is none. */
export function placeOf({
  frame,
}: ConnectResponse): { channelId: string; seq: number } | undefined {
  switch (frame?.$case) {
    case "chatRequest":
    case "chatAccept":
    case "chatReject":
    case "chatMessage":
    case "chatEnd":
      return { channelId: frame.value.channelId, seq: Number(frame.value.seq) };
  }
  return undefined;
}

/** A request that says how far a channel is handled. */
export function ackOf({ channelId, seq }: { channelId: string; seq: number }): ConnectRequest {
  return ConnectRequest.fromPartial({ acks: [{ channelId, seq: BigInt(seq) }] });
}
