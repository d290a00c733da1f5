/**
 * The conversation as the rules of docs/protocol.md have it, in plain arrays: what the core is
 * compared with. It knows no database, no cache and no due: every question is answered by looking
 * through everything that was said.
 */

/** A channel as a frame names it: an index in the model's chats, "nowhere", or nothing at all. */
export type Named = number | "nowhere" | undefined;

/** A frame, in the few fields whose meaning the rules are about. */
export type Said =
  | { kind: "request"; service: string; provider: string; words: string; key: string; ms: number }
  | { kind: "accept" | "reject"; chat: Named; consumer: string; service: string; words: string }
  | {
      kind: "message";
      chat: Named;
      service: string;
      target: string;
      words: string;
      replyTo: string;
      key: string;
      /** Metadata, which does not count when a repeat is compared (M2). */
      trace: string;
    }
  | { kind: "end"; chat: Named; words: string };

export type State = "open" | "requested" | "active" | "rejected" | "ended";

/** A channel. Its place in the array is the order in which channels were first stored. */
export interface Chat {
  /** The hub's name for it, learnt from the hub. */
  id: string;
  service: string;
  provider: string;
  consumer: string;
  state: State;
  /** The newest ack of each member, 0 where there is none. */
  acked: Record<string, number>;
  /** It was open and its service is withdrawn. */
  gone: boolean;
}

/** One entry. Its place in the array is the order of storing in the whole log. */
export interface Line {
  chat: number;
  seq: number;
  /** The agent that said it; "" for the hub, also where an admin ended the chat. */
  by: string;
  atMs: number;
  said: Said;
  /** EXPIRED, WITHDRAWN or BUSY where the hub rejected, POLICY where an admin ended. */
  code: "" | "EXPIRED" | "WITHDRAWN" | "BUSY" | "POLICY";
}

export interface Service {
  provider: string;
  auto: boolean;
  /** 0: no limit. */
  most: number;
  /** Whom it is for, as ids and patterns; empty: all. */
  allowed: readonly string[];
}

/** How a hub is set up. */
export interface Rules {
  directChats: boolean;
  maxPending: number;
  /** 0: any number. */
  maxChannels: number;
  /** The agents that credentials have named; undefined where the hub does not ask (I3). */
  known: readonly string[] | undefined;
}

/** What an admin did, for the audit log. */
export interface Deed {
  event: "admin_list" | "admin_read" | "admin_end";
  actor: string;
  /** Whose channels, where they were listed. */
  whose: string;
  chat: number | undefined;
}

export interface Model extends Rules {
  services: Record<string, Service>;
  chats: Chat[];
  log: Line[];
  nowMs: number;
  deeds: Deed[];
}

/** The agents whose credentials say that they are admins. */
export const ADMINS = ["o"];

export function emptyModel(of: Rules): Model {
  return { services: {}, chats: [], log: [], deeds: [], nowMs: 1_000_000, ...of };
}

/** The service as far as an agent knows of it (S3). Only `*` at the end is used here. */
export function serviceFor(model: Model, agent: string, id: string): Service | undefined {
  const service = model.services[id];
  const fits = (allowed: string) =>
    allowed.endsWith("*") ? agent.startsWith(allowed.slice(0, -1)) : agent === allowed;
  const open = service?.allowed.length === 0 || service?.provider === agent;
  return open || service?.allowed.some(fits) ? service : undefined;
}

/** Whether an agent has as many chats that it began and are not over, and services, as it may. */
export function hasTooMany(model: Model, agent: string): boolean {
  const began = chatsWhere(
    model,
    ({ consumer, state }) => consumer === agent && (state === "requested" || state === "active"),
  );
  const offered = Object.values(model.services).filter(({ provider }) => provider === agent);
  return model.maxChannels > 0 && began.length + offered.length >= model.maxChannels;
}

/** The entries of one chat, in order. */
export function linesOf(model: Model, chat: number): Line[] {
  return model.log.filter((line) => line.chat === chat);
}

export function isMember(chat: Chat, agent: string): boolean {
  return !chat.gone && (chat.provider === agent || chat.consumer === agent);
}

/** Indexes of the chats that something is true of, oldest first. */
export function chatsWhere(model: Model, holds: (chat: Chat, index: number) => boolean): number[] {
  return model.chats.flatMap((chat, index) => (!chat.gone && holds(chat, index) ? [index] : []));
}

/** The chat at an index. */
export function chatAt(model: Model, index: number): Chat {
  const chat = model.chats[index];
  if (chat === undefined) throw new Error(`the model has no chat ${index}`);
  return chat;
}

/** The one open chat of a registered service (S1). */
export function openChat(model: Model, service: string): number {
  const [open, another] = chatsWhere(
    model,
    (chat) => chat.state === "open" && chat.service === service,
  );
  if (open === undefined || another !== undefined) throw new Error("not one open chat");
  return open;
}

export function beginChat(
  model: Model,
  of: { service: string; provider: string; consumer: string; state: State },
): number {
  return model.chats.push({ id: "", acked: {}, gone: false, ...of }) - 1;
}

/** Writes an entry and gives its seq: from 1, by one (M3). */
export function append(
  model: Model,
  chat: number,
  by: string,
  said: Said,
  code: Line["code"] = "",
): Line {
  const line = {
    chat,
    seq: linesOf(model, chat).length + 1,
    by,
    atMs: model.nowMs,
    said,
    code,
  };
  model.log.push(line);
  return line;
}

/**
 * The positions that mean the same: everything up to there was acked or is one's own (D2, M6).
 * They differ by own entries alone, which count as handled once everything before them is.
 */
export function handledUpTo(
  model: Model,
  chat: number,
  agent: string,
): { least: number; most: number } {
  const lines = linesOf(model, chat);
  const acked = chatAt(model, chat).acked[agent] ?? 0;
  const unread = lines.find((line) => line.by !== agent && line.seq > acked);
  if (unread === undefined) return { least: lines.length, most: lines.length };
  const read = lines.findLast((line) => line.by !== agent && line.seq < unread.seq);
  return { least: read?.seq ?? 0, most: unread.seq - 1 };
}

/** Whether there is something of others that the agent has not acked. */
export function hasUnread(model: Model, chat: number, agent: string): boolean {
  const { most } = handledUpTo(model, chat, agent);
  return linesOf(model, chat).some((line) => line.by !== agent && line.seq > most);
}
