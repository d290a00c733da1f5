import { expect } from "vitest";
import type { Answer, HistoryPage } from "../../src/hub/answer.js";
import type { Channel } from "../../src/hub/channel.js";
import { remainingMs } from "../../src/hub/expire.js";
import type { Transaction } from "../../src/hub/store.js";
import type { Refusal } from "../../src/protocol/refusals.js";
import {
  ChannelState,
  ChatAccept,
  ChatEnd,
  ChatMessage,
  ChatReject,
  ChatRequest,
  EndCode,
  RejectCode,
} from "../../src/protocol/wire.js";
import type { Expected } from "./core-expected.js";
import {
  ADMINS,
  type Chat,
  chatsWhere,
  handledUpTo,
  hasUnread,
  isMember,
  type Line,
  linesOf,
  type Model,
} from "./core-model.js";
import { AGENTS } from "./core-steps.js";
import { idOf } from "./core-under-test.js";

const STATES = {
  open: ChannelState.CHANNEL_STATE_OPEN,
  requested: ChannelState.CHANNEL_STATE_REQUESTED,
  active: ChannelState.CHANNEL_STATE_ACTIVE,
  rejected: ChannelState.CHANNEL_STATE_REJECTED,
  ended: ChannelState.CHANNEL_STATE_ENDED,
};
const CODES = {
  "": RejectCode.REJECT_CODE_UNSPECIFIED,
  BUSY: RejectCode.REJECT_CODE_BUSY,
  EXPIRED: RejectCode.REJECT_CODE_EXPIRED,
  WITHDRAWN: RejectCode.REJECT_CODE_WITHDRAWN,
  POLICY: RejectCode.REJECT_CODE_UNSPECIFIED,
};

/** Learns the hub's name of a channel, or finds that it is another one than was meant. */
export function bind(chat: Chat | undefined, channelId: string): void {
  if (chat === undefined) throw new Error("the model has no such chat");
  if (chat.id === "") chat.id = channelId;
  expect(channelId, "the channel").toBe(chat.id);
}

/** The core's answer to a frame is the model's. */
export function compareAnswer(model: Model, actual: Answer, expected: Expected): void {
  if (actual.kind === "refusal") {
    compareRefusal(actual.refusal, expected);
    return;
  }
  if (actual.kind !== "receipt" || !("line" in expected)) {
    expect(actual, "the answer").toEqual(expected);
    return;
  }
  const { receipt } = actual;
  const { line, duplicate } = expected;
  bind(model.chats[line.chat], receipt.channelId);
  expect(receipt.seq, "the receipt's seq").toBe(line.seq);
  expect(receipt.duplicate, "the receipt's duplicate").toBe(duplicate);
  expect(receipt.storedAtMs, "the receipt's time").toBe(line.atMs);
  const key = line.said.kind === "message" ? line.said.key : undefined;
  if (key === undefined) expect(receipt.messageId).toBe("");
  else if (key !== "") expect(receipt.messageId).toBe(key);
  else expect(receipt.messageId).toMatch(/^msg_/);
}

export function compareRefusal(actual: Refusal | undefined, expected: Expected): void {
  if (!("refused" in expected)) {
    expect(actual, `refused, where ${JSON.stringify(expected)} is right`).toBeUndefined();
    return;
  }
  expect(expected.refused, "reasons that are right").toContain(actual?.reason);
}

/** A history page shows the messages that the model has in that range (C6, M3). */
export function comparePage(
  model: Model,
  page: HistoryPage,
  asked: { chat: number; before: number; after: number; limit: number },
): void {
  const messages = linesOf(model, asked.chat).filter(
    ({ said, seq }) =>
      said.kind === "message" && seq > asked.after && (asked.before === 0 || seq < asked.before),
  );
  const limit = asked.limit || 50;
  const shown = asked.after > 0 ? messages.slice(0, limit) : messages.slice(-limit);
  expect(page.channel?.channelId).toBe(idOf(model, asked.chat));
  expect(page.bodies.map((body) => Number(ChatMessage.decode(body).seq))).toEqual(
    shown.map(({ seq }) => seq),
  );
  expect(page.hasMore).toBe(shown.length < messages.length);
}

/** Everything that the store holds is what the model holds, and nothing else. */
export async function compareStored(tx: Transaction, model: Model): Promise<void> {
  const services = await tx.services({ after: "", limit: 1000 });
  expect(services.map(({ serviceId }) => serviceId)).toEqual(Object.keys(model.services).sort());
  for (const agent of [...AGENTS, ...ADMINS]) {
    const own = chatsWhere(model, (chat) => isMember(chat, agent));
    const { channels } = await tx.listChannels(agent, {}, { limit: 1000 });
    expect(channels.map(({ channelId }) => channelId)).toEqual(
      own.map((chat) => idOf(model, chat)).reverse(),
    );
    for (const [index, channel] of channels.reverse().entries()) {
      const chat = own[index] ?? -1;
      compareChannel(channel, model, chat);
      await compareLog(tx, model, chat);
    }
    const behind = await tx.channelsBehind(agent);
    expect(behind.map(({ channelId }) => channelId)).toEqual(
      own.filter((chat) => hasUnread(model, chat, agent)).map((chat) => idOf(model, chat)),
    );
  }
  await comparePending(tx, model);
  await compareDeeds(tx, model);
}

/** What admins did stands in the audit log, in that order and nothing else. */
async function compareDeeds(tx: Transaction, model: Model): Promise<void> {
  const rows = await tx.auditLog({ limit: 1000 });
  expect(
    rows.reverse().map(({ event, actor, agentId, channelId }) => ({
      ...{ event, actor, whose: agentId, channelId },
    })),
  ).toEqual(model.deeds.map(({ chat, ...deed }) => ({ ...deed, channelId: idOf(model, chat) })));
}

/** What is still pending, for which a timer runs, and how long it still waits (C4). */
async function comparePending(tx: Transaction, model: Model): Promise<void> {
  const asked = model.log.filter(
    ({ said, chat }) => said.kind === "request" && model.chats[chat]?.state === "requested",
  );
  const pending = await tx.allPending();
  expect(pending.map(({ channelId }) => channelId)).toEqual(
    asked.map(({ chat }) => idOf(model, chat)),
  );
  for (const [index, { said, atMs }] of asked.entries()) {
    const channel = pending[index];
    if (channel === undefined || said.kind !== "request") continue;
    const waitedMs = Math.max(0, model.nowMs - atMs);
    expect(remainingMs(channel, model.nowMs)).toBe(Math.max(0, said.ms - waitedMs));
  }
}

function compareChannel(channel: Channel, model: Model, index: number): void {
  const chat = model.chats[index];
  if (chat === undefined) throw new Error("the model has no such chat");
  const lines = linesOf(model, index);
  const rejected = lines.find(({ said }) => said.kind === "reject");
  expect(channel).toMatchObject({
    serviceId: chat.service,
    providerId: chat.provider,
    consumerId: chat.consumer,
    state: STATES[chat.state],
    lastSeq: lines.length,
    rejectCode: CODES[rejected?.code ?? ""],
  });
  for (const role of ["provider", "consumer"] as const) {
    if (chat[role] === "") continue;
    const { least, most } = handledUpTo(model, index, chat[role]);
    const { position } = channel[role];
    expect(position, `${role}'s position in ${chat.id}`).toBeGreaterThanOrEqual(least);
    expect(position, `${role}'s position in ${chat.id}`).toBeLessThanOrEqual(most);
  }
}

async function compareLog(tx: Transaction, model: Model, chat: number): Promise<void> {
  const channelId = idOf(model, chat);
  const { entries } = await tx.entries({ channelId, limit: 1000, maxBytes: 1e9 });
  expect(
    entries.map(({ kind, body, seq, author, storedAtMs }) => ({
      ...wordsIn(kind, body),
      seq,
      author,
      storedAtMs,
    })),
  ).toEqual(linesOf(model, chat).map((line) => shown(model, line)));
}

/** What readers are shown of a line. */
function shown(model: Model, { said, by, seq, atMs, code, chat }: Line) {
  const where = { channelId: idOf(model, chat), innerSeq: seq };
  const common = { ...where, seq, author: by, storedAtMs: atMs };
  const names = { providerId: model.chats[chat]?.provider, serviceId: model.chats[chat]?.service };
  const consumerId = model.chats[chat]?.consumer;
  switch (said.kind) {
    case "request":
      return { ...common, kind: "request", words: said.words, ...names, consumerId };
    case "accept":
      return { ...common, kind: "accept", words: said.words, ...names, consumerId };
    case "reject":
      return { ...common, kind: "reject", code: CODES[code], ...names, consumerId };
    case "message": {
      const { words, target, service, replyTo } = said;
      return { ...common, kind: "message", words, senderId: by, target, service, replyTo };
    }
    case "end":
      return { ...common, kind: "end", words: said.words, endedBy: by, code: endCode(code) };
    default:
      return said satisfies never;
  }
}

const endCode = (code: Line["code"]) =>
  code === "POLICY" ? EndCode.END_CODE_POLICY : EndCode.END_CODE_UNSPECIFIED;

function wordsIn(kind: string, body: Uint8Array) {
  switch (kind) {
    case "chatRequest":
    case "chatAccept": {
      const decoded = kind === "chatRequest" ? ChatRequest.decode(body) : ChatAccept.decode(body);
      const { channelId, seq, content: words, providerId, serviceId, consumerId } = decoded;
      const names = { providerId, serviceId, consumerId };
      const said = kind === "chatRequest" ? "request" : "accept";
      return { kind: said, channelId, innerSeq: Number(seq), words, ...names };
    }
    case "chatReject": {
      const { channelId, seq, code, providerId, serviceId, consumerId } = ChatReject.decode(body);
      const names = { providerId, serviceId, consumerId };
      return { kind: "reject", channelId, innerSeq: Number(seq), code, ...names };
    }
    case "chatMessage": {
      const {
        channelId,
        seq,
        content: words,
        senderId,
        replyTo,
        ...rest
      } = ChatMessage.decode(body);
      const { targetAgent: target, serviceId: service } = rest;
      const where = { channelId, innerSeq: Number(seq) };
      return { kind: "message", ...where, words, senderId, target, service, replyTo };
    }
    default: {
      const { channelId, seq, reason: words, endedBy, code } = ChatEnd.decode(body);
      return { kind: "end", channelId, innerSeq: Number(seq), words, endedBy, code };
    }
  }
}
