import type { RequestFrame } from "../client/to-wire.js";
import { MAX_PAGE_SIZE } from "../protocol/limits.js";
import { ConnectRequest } from "../protocol/wire.js";

/** One call of a hub, as a program that knows nothing of this package makes it. */
export interface OutsideCall {
  /** Such as claw.chat.v1.ChatHub/Connect. */
  method: string;
  /** Its one request; left out where there is nothing to say, or where requests are typed. */
  request?: { type: string; bytes: Uint8Array };
  /** Of a session that stays open: what it receives. */
  receive?: "manual" | "auto";
}

/** As much of a list as one call gives, and what to say about it. */
export const LONGEST_PAGE = { pageSize: MAX_PAGE_SIZE, pageToken: "" };
export const ONE_PAGE =
  "grpcurl asks for one page: a next_page_token in it says that there is more.";

const PACKAGE = "claw.chat.v1";

/** A call of the hub with one request. @param bytes the request, encoded */
export function callOf(method: string, bytes: Uint8Array): OutsideCall {
  const request = { type: `${PACKAGE}.${method}Request`, bytes };
  return { method: `${PACKAGE}.ChatHub/${method}`, request };
}

/** A session that sends one frame and ends. */
export function frameCall(frame: RequestFrame): OutsideCall {
  return callOf("Connect", ConnectRequest.encode(ConnectRequest.fromPartial({ frame })).finish());
}

/** A session that stays open, and takes frames as they are typed. */
export function openCall(receive: "manual" | "auto"): OutsideCall {
  return { method: `${PACKAGE}.ChatHub/Connect`, receive };
}

/** Without the key that was made up for one sending: the hub makes another one for each. */
export function withoutKey(frame: RequestFrame): RequestFrame {
  switch (frame.$case) {
    case "chatMessage":
      return { $case: "chatMessage", value: { ...frame.value, messageId: "" } };
    case "chatRequest":
      return { $case: "chatRequest", value: { ...frame.value, idempotencyKey: "" } };
    default:
      return frame;
  }
}
