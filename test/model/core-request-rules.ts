import type { RefusalReason } from "../../src/protocol/refusals.js";
import { type Expected, isUnknown, no, type Of, stored } from "./core-expected.js";
import {
  append,
  beginChat,
  chatAt,
  chatsWhere,
  hasTooMany,
  type Line,
  type Model,
  openChat,
  type Service,
  serviceFor,
} from "./core-model.js";

/** A consumer asks for a chat (C2). */
export function request(model: Model, agent: string, said: Of<"request">): Expected {
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
  const service = serviceFor(model, agent, said.service);
  if (said.service !== "" && service === undefined) return no("SERVICE_NOT_FOUND");
  const provider = service?.provider ?? said.provider;
  const faults: RefusalReason[] = [];
  if (said.provider !== "" && said.provider !== provider) faults.push("ADDRESS_CONFLICT");
  if (provider === agent) faults.push("SELF_CHAT");
  if (service === undefined && !model.directChats) faults.push("DIRECT_CHATS_DISABLED");
  if (service === undefined && isUnknown(model, provider)) faults.push("AGENT_NOT_FOUND");
  if (hasTooMany(model, agent)) faults.push("TOO_MANY_CHANNELS");
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
export function ask(model: Model, agent: string, said: Of<"request">, provider: string): Line {
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

/** What the hub says in a provider's place (C4, C5, S2). */
export function rejectForProvider(model: Model, at: number, code: Line["code"]): void {
  chatAt(model, at).state = "rejected";
  append(model, at, "", { kind: "reject", chat: at, consumer: "", service: "", words: "" }, code);
}

/** Whether a service has as many active chats as it takes (C5). */
export function isFull(model: Model, id: string, service: Service): boolean {
  const active = chatsWhere(
    model,
    (chat) => chat.state === "active" && chat.service === id && chat.provider === service.provider,
  );
  return service.most > 0 && active.length >= service.most;
}
