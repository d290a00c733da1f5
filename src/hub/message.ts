import { refuse } from "../protocol/refusals.js";
import type { SentMessage } from "../protocol/sent-message.js";
import { ChatMessage, ChatRequest } from "../protocol/wire.js";
import { findDestination } from "./address.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import type { Channel } from "./channel.js";
import type { Context } from "./context.js";
import { decideMessage } from "./decide.js";
import type { StoredEntry } from "./entry.js";
import { isFull, requestChat } from "./request.js";
import type { ServiceRecord } from "./store.js";
import { write } from "./write.js";

/** An agent says something in a chat (A1 to A3, M2, C6). */
export async function sendMessage(
  context: Context,
  agentId: string,
  message: SentMessage,
): Promise<Answer> {
  if (message.messageId !== "") {
    // Before addressing and before the state check: a resend into a chat that
    // has ended meanwhile still gets its first receipt (M2).
    const first = await context.tx.entryByKey(agentId, "chatMessage", message.messageId);
    if (first !== undefined) {
      return isSameMessage(first, message)
        ? repeatedReceipt(first)
        : refused(
            refuse(
              "MESSAGE_ID_REUSED",
              "chat_message.message_id named another message before; use a new one",
            ),
          );
    }
  }
  const destination = await findDestination(context, agentId, message);
  if ("refusal" in destination) return refused(destination.refusal);
  if ("askFirst" in destination) {
    return sendToAutoService(context, agentId, message, destination.askFirst);
  }
  return append(context, destination.channel, agentId, message);
}

async function append(
  context: Context,
  channel: Channel,
  agentId: string,
  message: SentMessage,
): Promise<Answer> {
  const decision = decideMessage(channel, agentId);
  if ("refusal" in decision) return refused(decision.refusal);
  const messageId = message.messageId || context.env.newId("msg");
  await write(context, channel, {
    author: agentId,
    frame: { $case: "chatMessage", value: message },
    key: messageId,
    addressedByChannel: message.channelId !== "",
  });
  return receiptFor(context.written.at(-1));
}

/** Request, automatic accept and message: all of them, or none (A2). */
async function sendToAutoService(
  context: Context,
  agentId: string,
  message: SentMessage,
  service: ServiceRecord,
): Promise<Answer> {
  if (await isFull(context, service)) {
    return refused(refuse("BUSY", "the service has as many active chats as it takes; try again"));
  }
  const { serviceId } = service;
  const requested = await requestChat(context, agentId, ChatRequest.fromPartial({ serviceId }));
  if (requested.kind !== "receipt") return requested;
  const active = context.written.at(-1)?.channel;
  if (active === undefined) throw new Error("an accepted request wrote nothing");
  return append(context, active, agentId, message);
}

/** "The same" leaves metadata out: a retry may carry a new trace (M2). */
function isSameMessage(first: StoredEntry, message: SentMessage): boolean {
  const stored = ChatMessage.decode(first.body);
  const { content, data } = ChatMessage.decode(message.bytes);
  return (
    stored.content === content &&
    stored.contentType === message.contentType &&
    stored.replyTo === message.replyTo &&
    stored.targetAgent === message.targetAgent &&
    stored.serviceId === message.serviceId &&
    first.addressedByChannel === (message.channelId !== "") &&
    (message.channelId === "" || message.channelId === stored.channelId) &&
    Buffer.compare(stored.data, data) === 0
  );
}
