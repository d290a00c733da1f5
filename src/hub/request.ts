import { DEFAULT_REQUEST_TIMEOUT_MS } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { durationOf } from "../protocol/time.js";
import { AcceptPolicy, ChatAccept, ChatReject, ChatRequest, RejectCode } from "../protocol/wire.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import { type Channel, newChannel } from "./channel.js";
import { agentNotFound, directChatsDisabled, tooManyChannels } from "./common-refusals.js";
import type { Context } from "./context.js";
import { denyService } from "./deny.js";
import { HUB_AUTHOR, type StoredEntry } from "./entry.js";
import { hasRoomForChat } from "./room-for-chats.js";
import { takeOpenChannel } from "./services.js";
import type { ServiceRecord } from "./store.js";
import { visible } from "./visible-service.js";
import { write } from "./write.js";

/** A consumer asks for a chat (C2, C5). */
export async function requestChat(
  context: Context,
  agentId: string,
  frame: ChatRequest,
): Promise<Answer> {
  const { tx, env } = context;
  if (frame.idempotencyKey !== "") {
    const first = await tx.entryByKey(agentId, "chatRequest", frame.idempotencyKey);
    if (first !== undefined) {
      return isSameRequest(first, frame)
        ? repeatedReceipt(first)
        : refused(
            refuse(
              "IDEMPOTENCY_KEY_REUSED",
              "chat_request.idempotency_key named another request before; use a new one",
            ),
          );
    }
  }
  const registered = frame.serviceId === "" ? undefined : await tx.service(frame.serviceId);
  const service = visible(registered, agentId);
  if (frame.serviceId !== "" && service === undefined) {
    return refused(denyService(context, agentId, frame.serviceId, registered));
  }
  const refusal = await checkRequest(context, agentId, frame, service);
  if (refusal !== undefined) return refused(refusal);

  const key = frame.idempotencyKey || env.newId("req");
  const timeout = frame.timeout ?? durationOf(DEFAULT_REQUEST_TIMEOUT_MS);
  const channel = await bindChannel(context, agentId, frame, service);
  await write(context, channel, {
    author: agentId,
    frame: { $case: "chatRequest", value: { ...frame, idempotencyKey: key, timeout } },
    key,
  });
  const written = context.written.at(-1);
  const answer = receiptFor(written);
  if (service !== undefined && written !== undefined) {
    await answerForProvider(context, written.channel, service);
  }
  return answer;
}

async function checkRequest(
  context: Context,
  agentId: string,
  frame: ChatRequest,
  service: ServiceRecord | undefined,
): Promise<Refusal | undefined> {
  const { tx, env } = context;
  const providerId = service?.providerId ?? frame.providerId;
  if (frame.providerId !== "" && frame.providerId !== providerId) {
    return refuse(
      "ADDRESS_CONFLICT",
      "chat_request.provider_id does not offer this service; leave it out",
    );
  }
  if (providerId === agentId) return refuse("SELF_CHAT", "you cannot ask yourself for a chat");
  if (service === undefined) {
    if (!env.directChats) return directChatsDisabled();
    if (env.agentsMustBeKnown && !(await tx.knowsAgent(providerId))) {
      return agentNotFound(providerId);
    }
  }
  if (!(await hasRoomForChat(context, agentId))) return tooManyChannels(env.maxChannels);
  // What the hub answers at once is never pending.
  if (service?.acceptPolicy === AcceptPolicy.ACCEPT_POLICY_AUTO) return undefined;
  if (env.maxPendingRequests === 0) return undefined;
  if ((await tx.countPending(agentId)) >= env.maxPendingRequests) return tooManyPending(env);
  return undefined;
}

function tooManyPending(env: { maxPendingRequests: number }): Refusal {
  return refuse(
    "TOO_MANY_PENDING",
    `${env.maxPendingRequests} of your requests are pending; wait for an answer or take one back`,
  );
}

function bindChannel(
  context: Context,
  agentId: string,
  frame: ChatRequest,
  service: ServiceRecord | undefined,
): Promise<Channel> | Channel {
  if (service !== undefined) return takeOpenChannel(context, service);
  return newChannel({
    channelId: context.env.newId("ch"),
    serviceId: "",
    providerId: frame.providerId,
    consumerId: agentId,
    createdAtMs: context.env.nowMs(),
  });
}

/** What the hub says in the provider's name: AUTO accepts, and max_active_chats rejects (C5). */
async function answerForProvider(
  context: Context,
  channel: Channel,
  service: ServiceRecord,
): Promise<void> {
  if (await isFull(context, service)) {
    await write(context, channel, {
      author: HUB_AUTHOR,
      frame: {
        $case: "chatReject",
        value: ChatReject.fromPartial({
          code: RejectCode.REJECT_CODE_BUSY,
          reason: `the service has ${service.maxActiveChats} active chats, the most it takes`,
        }),
      },
    });
  } else if (service.acceptPolicy === AcceptPolicy.ACCEPT_POLICY_AUTO) {
    await write(context, channel, {
      author: HUB_AUTHOR,
      frame: { $case: "chatAccept", value: ChatAccept.fromPartial({}) },
    });
  }
}

/** Whether a service has as many active chats as it takes (C5). */
export async function isFull({ tx }: Context, service: ServiceRecord): Promise<boolean> {
  if (service.maxActiveChats === 0) return false;
  return (await tx.countActive(service.providerId, service.serviceId)) >= service.maxActiveChats;
}

/** The same key may come back only with the same question. */
function isSameRequest(first: StoredEntry, frame: ChatRequest): boolean {
  const stored = ChatRequest.decode(first.body);
  return (
    stored.serviceId === frame.serviceId &&
    stored.content === frame.content &&
    (frame.providerId === "" || frame.providerId === stored.providerId)
  );
}
