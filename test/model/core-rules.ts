import type { RefusalReason } from "../../src/protocol/refusals.js";
import {
  append,
  beginChat,
  type Chat,
  chatAt,
  chatsWhere,
  isMember,
  type Line,
  linesOf,
  type Model,
  type Named,
  openChat,
  type Said,
  type Service,
} from "./core-model.js";

type Of<Kind extends Said["kind"]> = Extract<Said, { kind: Kind }>;

/** What the hub has to answer. Where several faults meet, either of their reasons is right. */
export type Expected =
  | { refused: RefusalReason[] }
  | { line: Line; duplicate: boolean }
  | { done: true };

const no = (...refused: RefusalReason[]): Expected => ({ refused });
const stored = (line: Line): Expected => ({ line, duplicate: false });

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

/** The member's chat that a frame names, or nothing: it is not there for others (C7). */
function named(model: Model, agent: string, name: Named): number | undefined {
  if (typeof name !== "number") return undefined;
  const chat = model.chats[name];
  return chat !== undefined && isMember(chat, agent) ? name : undefined;
}

const peerOf = (chat: Chat, agent: string) =>
  chat.provider === agent ? chat.consumer : chat.provider;

function isFull(model: Model, id: string, service: Service): boolean {
  const active = chatsWhere(
    model,
    (chat) => chat.state === "active" && chat.service === id && chat.provider === service.provider,
  );
  return service.most > 0 && active.length >= service.most;
}

function request(model: Model, agent: string, said: Of<"request">): Expected {
  const first = model.log.find(
    (line) => line.by === agent && line.said.kind === "request" && line.said.key === said.key,
  );
  if (said.key !== "" && first?.said.kind === "request") {
    const { provider } = chatAt(model, first.chat);
    const same =
      first.said.service === said.service &&
      first.said.words === said.words &&
      (said.provider === "" || said.provider === provider);
    return same ? { line: first, duplicate: true } : no("IDEMPOTENCY_KEY_REUSED");
  }
  const service = model.services[said.service];
  if (said.service !== "" && service === undefined) return no("SERVICE_NOT_FOUND");
  const provider = service?.provider ?? said.provider;
  const faults: RefusalReason[] = [];
  if (said.provider !== "" && said.provider !== provider) faults.push("ADDRESS_CONFLICT");
  if (provider === agent) faults.push("SELF_CHAT");
  if (service === undefined && !model.directChats) faults.push("DIRECT_CHATS_DISABLED");
  const pending = chatsWhere(
    model,
    (chat) => chat.state === "requested" && chat.consumer === agent,
  );
  // What the hub accepts or rejects at once is never pending.
  if (service?.auto !== true && pending.length >= model.maxPending) {
    faults.push("TOO_MANY_PENDING");
  }
  return faults.length > 0 ? no(...faults) : stored(ask(model, agent, said, provider));
}

/** Stores a request, with what the hub says at once in the provider's name (C5). */
function ask(model: Model, agent: string, said: Of<"request">, provider: string): Line {
  const service = model.services[said.service];
  let at: number;
  if (service === undefined) {
    at = beginChat(model, { service: "", provider, consumer: agent, state: "requested" });
  } else {
    at = openChat(model, said.service);
    Object.assign(chatAt(model, at), { consumer: agent, state: "requested" });
    beginChat(model, { service: said.service, provider, consumer: "", state: "open" });
  }
  const line = append(model, at, agent, said);
  if (service !== undefined && isFull(model, said.service, service)) {
    rejectForProvider(model, at, "BUSY");
  } else if (service?.auto) {
    chatAt(model, at).state = "active";
    append(model, at, "", { kind: "accept", chat: at, consumer: "", service: "", words: "" });
  }
  return line;
}

function rejectForProvider(model: Model, at: number, code: Line["code"]): void {
  chatAt(model, at).state = "rejected";
  append(model, at, "", { kind: "reject", chat: at, consumer: "", service: "", words: "" }, code);
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

function message(model: Model, agent: string, said: Of<"message">): Expected {
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
  const service = model.services[said.service];
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
  if (isFull(model, said.service, service)) return no("BUSY");
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
  if (!model.directChats) return no("DIRECT_CHATS_DISABLED");
  const at = beginChat(model, {
    service: "",
    provider: said.target,
    consumer: agent,
    state: "active",
  });
  return stored(append(model, at, agent, said));
}

function end(model: Model, agent: string, said: Of<"end">): Expected {
  const at = named(model, agent, said.chat);
  if (at === undefined) return no("CHANNEL_NOT_FOUND");
  const chat = chatAt(model, at);
  const first = linesOf(model, at).find((line) => line.said.kind === "end");
  if (first !== undefined) return { line: first, duplicate: true };
  if (chat.state === "rejected") return no("CHANNEL_ENDED");
  if (chat.state === "open") return no("CHAT_NOT_ACCEPTED");
  if (chat.state === "requested" && chat.consumer !== agent) return no("CHAT_NOT_ACCEPTED");
  chat.state = "ended";
  return stored(append(model, at, agent, said));
}

/** Registers or updates a service (S1). */
export function register(model: Model, agent: string, id: string, service: Service): Expected {
  const before = model.services[id];
  if (before !== undefined && before.provider !== agent) return no("SERVICE_TAKEN");
  model.services[id] = service;
  if (before === undefined) {
    beginChat(model, { service: id, provider: agent, consumer: "", state: "open" });
  }
  return { done: true };
}

/** Withdraws a service: pending requests are rejected, active chats go on (S2). */
export function unregister(model: Model, agent: string, id: string): Expected {
  const service = model.services[id];
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
