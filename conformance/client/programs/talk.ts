import type { JsonObject } from "../contract.ts";
import { inShort } from "../json-match.ts";
import type { Frame } from "../session.ts";

/** Which side of the conversation is judged; the scripted hub plays the other. */
export type Side = "provider" | "consumer";

export const CITIES = ["Beijing", "Harbin"];
const NAMES: Record<Side, string> = { provider: "weather-provider", consumer: "weather-consumer" };
const STORED_AT = "2026-01-01T00:00:00Z";

interface Entry {
  kind: string;
  /** Whether the peer said it, and not the judged side. */
  isPeers: boolean;
  value: JsonObject;
}

interface Chat {
  channelId: string;
  consumerId: string;
  /** The entry of seq 1 first. */
  entries: Entry[];
  /** How far the judged side has handled it. */
  position: number;
}

/** A delivery to the judged side, in the JSON form. */
export type Delivered = JsonObject;

/** What came of a frame: its receipt, and what the peer says to it. */
export interface Stored {
  receipt: JsonObject;
  /** It was stored before. */
  isRepeat: boolean;
  news: Delivered[];
}

/** The chats of one scenario, as a hub stores them, and the peer who talks in them. */
export interface Talk {
  /** Stores a frame, or finds that it is stored. */
  store(frame: Frame): Stored;
  ack(channelId: string, seq: number): void;
  /** Everything of the peer's that the judged side has not handled. */
  backlog(): Delivered[];
  /** Forgets what was handled: a hub may, when it crashes (D2). */
  forgetPositions(): void;
  /** A page with every message. */
  history(): JsonObject;
  /** Everything was said, in every chat, and the judged side has handled what it was to. */
  isOver(): boolean;
  /** In a few words, for the sentence on a conversation that came to nothing. */
  soFar(): string;
}

/**
 * Begins the talk. Against a provider it begins with a request in each chat; a consumer makes its own.
 * @param reject the peer declines, with a code that no contract has yet
 * @param fault told what the judged side should not have said
 */
export function createTalk(of: {
  side: Side;
  chats: number;
  reject: boolean;
  fault: (sentence: string) => void;
}): Talk {
  const { side, reject, fault } = of;
  const chats: Chat[] = [];
  const receipts = new Map<string, JsonObject>();

  function open(consumerId: string): Chat {
    const channelId = `chat-${chats.length + 1}`;
    const chat = { channelId, consumerId, entries: [], position: 0 };
    chats.push(chat);
    return chat;
  }

  function append(chat: Chat, isPeers: boolean, kind: string, value: JsonObject): Entry {
    const { channelId } = chat;
    const seq = String(chat.entries.length + 1);
    const own = { ...value, channelId, seq, timestamp: STORED_AT };
    const entry = { kind, isPeers, value: own };
    chat.entries.push(entry);
    return entry;
  }

  function chatOf({ kind, value }: Frame): Chat {
    if (kind === "chatRequest") return open(NAMES.consumer);
    const { channelId, consumerId, targetAgent } = value;
    const name = consumerId || targetAgent;
    const found = channelId
      ? chats.find((chat) => chat.channelId === channelId)
      : chats.find((chat) => chat.consumerId === name && chat.entries.length === 1);
    if (found !== undefined) return found;
    fault(`a ${kind} was sent for a chat that there is not: ${inShort(value)}`);
    return open("nobody");
  }

  /** What the peer says to the newest entry of the judged side. */
  function answer(chat: Chat): Entry | undefined {
    const last = chat.entries.at(-1);
    const asked = chat.entries.filter(({ kind }) => kind === "chatMessage").length / 2;
    const say = (kind: string, value: JsonObject) => append(chat, true, kind, value);
    if (side === "provider") {
      if (last?.kind === "chatReject") return undefined;
      const content = CITIES[Math.ceil(asked)];
      const { consumerId } = chat;
      if (content === undefined) return say("chatEnd", { endedBy: consumerId, code: 1 });
      return say("chatMessage", {
        messageId: `q-${consumerId}-${content}`,
        senderId: consumerId,
        content,
      });
    }
    const providerId = NAMES.provider;
    if (last?.kind === "chatRequest" && reject) {
      return say("chatReject", { providerId, reason: "Closed", code: 77 });
    }
    if (last?.kind === "chatRequest") {
      return say("chatAccept", { providerId, content: "Which city?" });
    }
    if (last?.kind !== "chatMessage") return undefined;
    const { content, messageId = "" } = last.value;
    const messageIdOfAnswer = `a-${messageId}`;
    return say("chatMessage", {
      ...{ messageId: messageIdOfAnswer, senderId: providerId, replyTo: messageId },
      content: `${content}: sunny, 25 °C`,
    });
  }

  /** What the judged side may say now; only what has not been said before comes here. */
  function check(chat: Chat, { kind, value }: Frame): void {
    const last = chat.entries.at(-1);
    const said = inShort({ [kind]: value });
    const turn = last === undefined || last.isPeers;
    if (!turn) fault(`it said ${said} behind ${inShort({ [last.kind]: last.value })}, unasked`);
    if (kind !== "chatMessage") return;
    const asked = chat.entries.filter((one) => one.kind === "chatMessage");
    const city = side === "provider" ? last?.value.content : CITIES[asked.length / 2];
    if (typeof city !== "string" || !String(value.content).includes(city)) {
      fault(`it said ${said}, which is not about ${city ?? "any city that is left"}`);
    }
  }

  const isDone = ({ entries, position }: Chat) => {
    const [last, lastOfPeer] = [entries.at(-1), entries.findLastIndex((one) => one.isPeers)];
    const ended = last?.kind === "chatEnd" || last?.kind === "chatReject";
    return ended && (side === "consumer" || position > lastOfPeer);
  };

  if (side === "provider") {
    for (let number = 1; number <= of.chats; number += 1) {
      const chat = open(of.chats === 1 ? NAMES.consumer : `${NAMES.consumer}-${number}`);
      const { consumerId } = chat;
      const content = "The weather, please";
      append(chat, true, "chatRequest", { consumerId, serviceId: "weather-svc", content });
    }
  }
  return {
    store(frame) {
      const key = keyOf(frame);
      const first = receipts.get(key);
      if (first !== undefined) {
        return { receipt: { ...first, duplicate: true }, isRepeat: true, news: [] };
      }
      const chat = chatOf(frame);
      check(chat, frame);
      const { seq = "0" } = append(chat, false, frame.kind, frame.value).value;
      const messageId = String(frame.value.messageId ?? "");
      const receipt = { channelId: chat.channelId, seq, messageId, timestamp: STORED_AT };
      receipts.set(key, receipt);
      const reaction = answer(chat);
      const news = reaction === undefined ? [] : [delivery(reaction, false)];
      return { receipt, isRepeat: false, news };
    },
    ack(channelId, seq) {
      const chat = chats.find((one) => one.channelId === channelId);
      const end = chat?.entries.length ?? 0;
      if (seq > end) fault(`entry ${seq} of ${channelId} was acked, which has ${end}`);
      if (chat !== undefined) chat.position = Math.max(chat.position, seq);
    },
    backlog: () =>
      chats.flatMap(({ entries, position }) =>
        entries
          .slice(position)
          .filter((entry) => entry.isPeers)
          .map((entry) => delivery(entry, true)),
      ),
    forgetPositions() {
      for (const chat of chats) chat.position = 0;
    },
    history: () => ({
      channel: { channelId: chats[0]?.channelId ?? "" },
      messages: chats.flatMap(({ entries }) =>
        entries.filter(({ kind }) => kind === "chatMessage").map(({ value }) => value),
      ),
    }),
    isOver: () => chats.length > 0 && chats.every(isDone),
    soFar: () =>
      chats
        .map(({ channelId, entries, position }) => {
          const kinds = entries.map(({ kind }) => kind.replace("chat", "").toLowerCase());
          return `${channelId} holds ${kinds.join(", ")}, acked up to ${position}`;
        })
        .join("; ") || "nothing was asked",
  };
}

/** Under what a frame is stored once. */
function keyOf({ kind, value }: Frame): string {
  const { messageId, idempotencyKey, channelId, consumerId } = value;
  return `${kind} ${messageId ?? idempotencyKey ?? channelId ?? consumerId ?? ""}`;
}

function delivery({ kind, value }: Entry, replayed: boolean): Delivered {
  return { replayed, [kind]: value };
}
