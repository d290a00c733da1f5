import {
  AcceptPolicy,
  ChatAccept,
  ChatEnd,
  ChatMessage,
  ChatReject,
  ChatRequest,
} from "claw-chat-hub/protocol";
import type { Random } from "../support/random.ts";
import type { Placed } from "./bare-agent.ts";
import type { Part } from "./cast.ts";
import type { EntryFrame } from "./entry-print.ts";

/** What an agent says when something happens to it. */
export interface Playing {
  /** Says as much as it may: at the beginning, and after each thing that got a receipt. */
  go(): void;
  placed(placed: Placed): void;
  /** May be called again for the same entry. */
  delivered(frame: EntryFrame): void;
}

/** What an agent needs for its part. */
export interface Stage {
  id: string;
  random: Random;
  /** Frames it may send now. */
  room(): number;
  store(frame: EntryFrame): void;
  /** No new conversation or message of one's own accord any more; answers are still given. */
  isClosing(): boolean;
}

/** How a part is played on the bare stub. */
export function play(part: Part, stage: Stage): Playing {
  switch (part.does) {
    case "chat":
      return chatting(part.peers, stage);
    case "provide":
      return providing(part.acceptPolicy, stage);
    case "consume":
      return consuming(part.serviceId, stage);
    case "listen":
      return { go() {}, placed() {}, delivered() {} };
    default:
      return part satisfies never;
  }
}

/** The service of a provider, to be registered before the load begins. */
export function serviceOf(part: Extract<Part, { does: "provide" }>) {
  return {
    serviceId: part.serviceId,
    acceptPolicy:
      part.acceptPolicy === "auto"
        ? AcceptPolicy.ACCEPT_POLICY_AUTO
        : AcceptPolicy.ACCEPT_POLICY_MANUAL,
  };
}

function words(random: Random): string {
  return "abcdefghijklmnopqrstuvwxyz ".repeat(random.int(0, 9)).slice(random.int(0, 26));
}

/** By name at first; where a channel with the peer is known, now and then by the channel. */
function chatting(peers: string[], stage: Stage): Playing {
  const { id, random } = stage;
  const channels = new Map<string, string>();
  const addressed = new Map<string, string>();
  let count = 0;
  const playing: Playing = {
    go() {
      while (!stage.isClosing() && stage.room() > 0) {
        const targetAgent = peers[count % peers.length] ?? "";
        count += 1;
        const messageId = `${id}-${count}`;
        const channelId = random.int(1, 3) === 1 ? channels.get(targetAgent) : undefined;
        if (channelId === undefined) addressed.set(messageId, targetAgent);
        const to = channelId === undefined ? { targetAgent } : { channelId };
        const content = `${messageId} ${words(random)}`;
        stage.store(messageOf({ messageId, content, ...to }));
      }
    },
    placed({ key, channelId }) {
      const peer = addressed.get(key);
      if (peer !== undefined) channels.set(peer, channelId);
      addressed.delete(key);
    },
    delivered() {},
  };
  return playing;
}

/** Declines one request in five, and replies to each message under a key made of the message's. */
function providing(acceptPolicy: "manual" | "auto", { id, store }: Stage): Playing {
  return {
    go() {},
    placed() {},
    delivered(frame) {
      const { channelId } = frame.value;
      if (frame.$case === "chatRequest") {
        // The hub has answered already, and its answer comes as well.
        if (acceptPolicy === "auto") return;
        if (frame.value.content.startsWith("no ")) {
          const value = { ...ChatReject.create(), channelId, reason: "not today" };
          store({ $case: "chatReject", value });
        } else {
          const value = { ...ChatAccept.create(), channelId, content: "yes" };
          store({ $case: "chatAccept", value });
        }
      } else if (frame.$case === "chatMessage") {
        const { messageId: replyTo } = frame.value;
        const content = `re ${replyTo}`;
        store(messageOf({ messageId: `${id}-re-${replyTo}`, content, channelId, replyTo }));
      }
    },
  };
}

/** Also a hub that starts with its clock set forward must not expire what somebody will answer. */
const WEEK = { seconds: BigInt(7 * 24 * 3_600), nanos: 0 };
/** Messages in one chat before it is ended. */
const MESSAGES = 6;

/** As many chats at a time as it may have requests: asked for, six messages, six replies, ended. */
function consuming(serviceId: string, stage: Stage): Playing {
  const { id, random, store } = stage;
  /** By channel: the replies that have come. */
  const chats = new Map<string, Set<string>>();
  const over = new Set<string>();
  let asked = 0;
  let closed = 0;
  const playing: Playing = {
    go() {
      while (!stage.isClosing() && asked - closed < 4) {
        asked += 1;
        const content = `${random.int(1, 5) === 1 ? "no" : "please"} ${asked}`;
        const idempotencyKey = `${id}-ask-${asked}`;
        const value = {
          ...ChatRequest.create(),
          serviceId,
          content,
          idempotencyKey,
          timeout: WEEK,
        };
        store({ $case: "chatRequest", value });
      }
    },
    placed({ kind }) {
      if (kind === "chatEnd") closed += 1;
    },
    delivered(frame) {
      const { channelId } = frame.value;
      if (over.has(channelId)) return;
      if (frame.$case === "chatAccept" && !chats.has(channelId)) {
        chats.set(channelId, new Set());
        for (let nth = 1; nth <= MESSAGES; nth += 1) {
          const messageId = `${id}-${channelId}-${nth}`;
          store(messageOf({ messageId, content: `${nth} ${words(random)}`, channelId }));
        }
      } else if (frame.$case === "chatReject") {
        over.add(channelId);
        closed += 1;
        playing.go();
      } else if (frame.$case === "chatMessage") {
        const replies = chats.get(channelId)?.add(frame.value.messageId);
        if (replies?.size !== MESSAGES) return;
        chats.delete(channelId);
        over.add(channelId);
        store({ $case: "chatEnd", value: { ...ChatEnd.create(), channelId, reason: "thanks" } });
      }
    },
  };
  return playing;
}

function messageOf(value: Partial<ChatMessage>): EntryFrame {
  return { $case: "chatMessage", value: { ...ChatMessage.create(), ...value } };
}
