import type { RefusalReason } from "../../src/protocol/refusals.js";
import { type Expected, named, no, type Of, stored } from "./core-expected.js";
import { message } from "./core-message-rules.js";
import {
  ADMINS,
  append,
  beginChat,
  type Chat,
  chatAt,
  chatsWhere,
  hasTooMany,
  isMember,
  type Line,
  linesOf,
  type Model,
  type Named,
  openChat,
  type Said,
  type Service,
  serviceFor,
} from "./core-model.js";
import { rejectForProvider, request } from "./core-request-rules.js";

/** Says a frame in the model (C1 to C8, A1 to A3, M2, M3). */
export function say(model: Model, agent: string, said: Said): Expected {
  switch (said.kind) {
    case "request":
      return request(model, agent, said);
    case "accept":
    case "reject":
      return answer(model, agent, said);
    case "message":
      return message(model, agent, said);
    case "end":
      return end(model, agent, said);
    default:
      return said satisfies never;
  }
}

const isAnswer = (line: Line) => line.said.kind === "accept" || line.said.kind === "reject";

function answer(model: Model, agent: string, said: Of<"accept" | "reject">): Expected {
  const at = said.chat === undefined ? meant(model, agent, said) : named(model, agent, said.chat);
  if (at === "several") return no("AMBIGUOUS");
  if (at === undefined) return no("CHANNEL_NOT_FOUND");
  const chat = chatAt(model, at);
  const faults: RefusalReason[] = [];
  const conflict =
    (said.consumer !== "" && said.consumer !== chat.consumer) ||
    (said.service !== "" && said.service !== chat.service);
  if (conflict) faults.push("ADDRESS_CONFLICT");
  const first = linesOf(model, at).find(isAnswer);
  if (chat.consumer === agent) faults.push("NOT_PROVIDER");
  else if (chat.state === "open") faults.push("CHAT_NOT_ACCEPTED");
  else if (chat.state !== "requested") {
    const began = linesOf(model, at)[0]?.said.kind;
    if (first === undefined && began === "request") faults.push("CHANNEL_ENDED");
    // It began active: two sentences of C3 fit once it has ended.
    else if (first === undefined && chat.state === "ended") {
      faults.push("ALREADY_ANSWERED", "CHANNEL_ENDED");
    } else if (first?.said.kind !== said.kind) faults.push("ALREADY_ANSWERED");
  }
  if (faults.length > 0) return no(...faults);
  if (first !== undefined) return { line: first, duplicate: true };
  chat.state = said.kind === "accept" ? "active" : "rejected";
  return stored(append(model, at, agent, said));
}

/** The request that a consumer's name stands for (C3). */
function meant(
  model: Model,
  agent: string,
  said: Of<"accept" | "reject">,
): number | "several" | undefined {
  const between = (chat: Chat) =>
    chat.provider === agent &&
    chat.consumer === said.consumer &&
    (said.service === "" || said.service === chat.service);
  const [pending, another] = chatsWhere(
    model,
    (chat) => chat.state === "requested" && between(chat),
  );
  if (another !== undefined) return "several";
  if (pending !== undefined) return pending;
  return model.log.findLast((line) => isAnswer(line) && between(chatAt(model, line.chat)))?.chat;
}

function end(model: Model, agent: string, said: Of<"end">): Expected {
  const at = readable(model, agent, said.chat);
  if (at === undefined) return no("CHANNEL_NOT_FOUND");
  const chat = chatAt(model, at);
  const byAdmin = !isMember(chat, agent);
  const first = linesOf(model, at).find((line) => line.said.kind === "end");
  if (first !== undefined) return { line: first, duplicate: true };
  if (chat.state === "rejected") return no("CHANNEL_ENDED");
  if (chat.state === "open") return no("CHAT_NOT_ACCEPTED");
  if (chat.state === "requested" && chat.consumer !== agent && !byAdmin) {
    return no("CHAT_NOT_ACCEPTED");
  }
  chat.state = "ended";
  if (!byAdmin) return stored(append(model, at, agent, said));
  model.deeds.push({ event: "admin_end", actor: agent, whose: "", chat: at });
  return stored(append(model, at, "", said, "POLICY"));
}

/** The chat that a frame names and that the agent may read and end: its own, or an admin's any. */
export function readable(model: Model, agent: string, name: Named): number | undefined {
  const isThere = typeof name === "number" && model.chats[name]?.gone === false;
  return isThere && ADMINS.includes(agent) ? name : named(model, agent, name);
}

/** Registers or updates a service (S1). */
export function register(model: Model, agent: string, id: string, service: Service): Expected {
  const before = model.services[id];
  if (before !== undefined && before.provider !== agent) return no("SERVICE_TAKEN");
  if (before === undefined && hasTooMany(model, agent)) return no("TOO_MANY_CHANNELS");
  model.services[id] = service;
  if (before === undefined) {
    beginChat(model, { service: id, provider: agent, consumer: "", state: "open" });
  }
  return { done: true };
}

/** Withdraws a service: pending requests are rejected, active chats go on (S2). */
export function unregister(model: Model, agent: string, id: string): Expected {
  const service = serviceFor(model, agent, id);
  if (service === undefined) return no("SERVICE_NOT_FOUND");
  if (service.provider !== agent) return no("NOT_PROVIDER");
  const pending = chatsWhere(
    model,
    (chat) => chat.state === "requested" && chat.service === id && chat.provider === agent,
  );
  for (const at of pending) rejectForProvider(model, at, "WITHDRAWN");
  chatAt(model, openChat(model, id)).gone = true;
  delete model.services[id];
  return { done: true };
}

/** A request's time is up: rejected where it is pending, and nothing otherwise (C4). */
export function expire(model: Model, at: number): void {
  if (chatAt(model, at).state === "requested") rejectForProvider(model, at, "EXPIRED");
}

/** Moves positions: all of them or none (D2, M5). */
export function ack(model: Model, agent: string, acks: { chat: Named; seq: number }[]): Expected {
  for (const { chat, seq } of acks) {
    const at = named(model, agent, chat);
    if (at === undefined) return no("CHANNEL_NOT_FOUND");
    if (seq > linesOf(model, at).length) return no("POSITION_AHEAD");
  }
  for (const { chat, seq } of acks) {
    const { acked } = chatAt(model, named(model, agent, chat) ?? 0);
    acked[agent] = Math.max(acked[agent] ?? 0, seq);
  }
  return { done: true };
}
