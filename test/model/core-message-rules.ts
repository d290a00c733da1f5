import type { RefusalReason } from "../../src/protocol/refusals.js";
import { type Expected, isUnknown, named, no, type Of, stored } from "./core-expected.js";
import {
  append,
  beginChat,
  type Chat,
  chatAt,
  chatsWhere,
  hasTooMany,
  isMember,
  type Model,
  serviceFor,
} from "./core-model.js";
import { ask, isFull } from "./core-request-rules.js";

const peerOf = (chat: Chat, agent: string) =>
  chat.provider === agent ? chat.consumer : chat.provider;

/** An agent says something in a chat (A1 to A3, M2, C6). */
export function message(model: Model, agent: string, said: Of<"message">): Expected {
  const first = model.log.find(
    (line) => line.by === agent && line.said.kind === "message" && line.said.key === said.key,
  );
  if (said.key !== "" && first?.said.kind === "message") {
    const { words, replyTo, service, target, chat } = first.said;
    const same =
      words === said.words &&
      replyTo === said.replyTo &&
      service === said.service &&
      target === said.target &&
      chat === said.chat;
    return same ? { line: first, duplicate: true } : no("MESSAGE_ID_REUSED");
  }
  if (said.chat !== undefined) return messageInChat(model, agent, said);
  if (said.target === agent) return no("SELF_CHAT");
  return said.service === ""
    ? messageToAgent(model, agent, said)
    : messageAboutService(model, agent, said);
}

function messageInChat(model: Model, agent: string, said: Of<"message">): Expected {
  const at = named(model, agent, said.chat);
  if (at === undefined) return no("CHANNEL_NOT_FOUND");
  const chat = chatAt(model, at);
  const faults: RefusalReason[] = [];
  const conflict =
    (said.target !== "" && said.target !== peerOf(chat, agent)) ||
    (said.service !== "" && said.service !== chat.service);
  if (conflict) faults.push("ADDRESS_CONFLICT");
  if (chat.state === "open" || chat.state === "requested") faults.push("CHAT_NOT_ACCEPTED");
  if (chat.state === "rejected" || chat.state === "ended") faults.push("CHANNEL_ENDED");
  return faults.length > 0 ? no(...faults) : stored(append(model, at, agent, said));
}

function messageAboutService(model: Model, agent: string, said: Of<"message">): Expected {
  const service = serviceFor(model, agent, said.service);
  const newest = chatsWhere(
    model,
    (chat) =>
      chat.state === "active" &&
      chat.service === said.service &&
      isMember(chat, agent) &&
      (service === undefined || chat.provider === service.provider) &&
      (said.target === "" || said.target === peerOf(chat, agent)),
  ).at(-1);
  if (newest !== undefined) return stored(append(model, newest, agent, said));
  if (service === undefined) return no("SERVICE_NOT_FOUND");
  const { provider, auto } = service;
  if (!auto || provider === agent || (said.target !== "" && said.target !== provider)) {
    return no("CHAT_NOT_ACCEPTED");
  }
  const faults: RefusalReason[] = [];
  if (isFull(model, said.service, service)) faults.push("BUSY");
  if (hasTooMany(model, agent)) faults.push("TOO_MANY_CHANNELS");
  if (faults.length > 0) return no(...faults);
  const asked = { kind: "request", service: said.service, provider: "", words: "" } as const;
  const { chat } = ask(model, agent, { ...asked, key: "", ms: 0 }, provider);
  return stored(append(model, chat, agent, said));
}

function messageToAgent(model: Model, agent: string, said: Of<"message">): Expected {
  const used = model.log.findLast((line) => {
    const chat = chatAt(model, line.chat);
    return chat.state === "active" && isMember(chat, agent) && isMember(chat, said.target);
  });
  if (used !== undefined) return stored(append(model, used.chat, agent, said));
  const faults: RefusalReason[] = [];
  if (!model.directChats) faults.push("DIRECT_CHATS_DISABLED");
  if (isUnknown(model, said.target)) faults.push("AGENT_NOT_FOUND");
  if (hasTooMany(model, agent)) faults.push("TOO_MANY_CHANNELS");
  if (faults.length > 0) return no(...faults);
  const at = beginChat(model, {
    service: "",
    provider: said.target,
    consumer: agent,
    state: "active",
  });
  return stored(append(model, at, agent, said));
}
