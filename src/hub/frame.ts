import type { RequestFrame } from "../protocol/frame-rules.js";
import type { Answer } from "./answer.js";
import type { Context } from "./context.js";
import type { Caller } from "./credentials.js";
import { endChat } from "./end.js";
import { readHistory } from "./history.js";
import { sendMessage } from "./message.js";
import { replyToRequest } from "./reply.js";
import { requestChat } from "./request.js";

/**
 * Does what a frame asks for, within a transaction. The frame has passed
 * `checkFrame`. A refusal has written nothing.
 */
export function handleFrame(
  context: Context,
  caller: Caller,
  frame: RequestFrame,
): Promise<Answer> {
  const { agentId } = caller;
  switch (frame.$case) {
    case "chatRequest":
      return requestChat(context, agentId, frame.value);
    case "chatAccept":
    case "chatReject":
      return replyToRequest(context, agentId, frame);
    case "chatMessage":
      return sendMessage(context, agentId, frame.value);
    case "chatEnd":
      return endChat(context, caller, frame.value);
    case "chatHistory":
      return readHistory(context, caller, frame.value);
    default:
      return frame satisfies never;
  }
}
