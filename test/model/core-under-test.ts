import { checkPositions, movePositions } from "../../src/hub/ack.js";
import type { Answer } from "../../src/hub/answer.js";
import type { Context, Environment } from "../../src/hub/context.js";
import type { Caller } from "../../src/hub/credentials.js";
import { expireRequest } from "../../src/hub/expire.js";
import { handleFrame } from "../../src/hub/frame.js";
import { listChannels, listServices } from "../../src/hub/listings.js";
import { registerService, unregisterService } from "../../src/hub/services.js";
import type { Store, Transaction } from "../../src/hub/store.js";
import { checkFrame, type RequestFrame } from "../../src/protocol/frame-rules.js";
import type { Refusal } from "../../src/protocol/refusals.js";
import { sentMessageOf } from "../../src/protocol/sent-message.js";
import { durationOf } from "../../src/protocol/time.js";
import {
  AcceptPolicy,
  ChatAccept,
  ChatEnd,
  ChatHistory,
  ChatMessage,
  ChatReject,
  ChatRequest,
  ListChannelsRequest,
  ListServicesRequest,
  Service as ServiceMessage,
} from "../../src/protocol/wire.js";
import { ADMINS, chatAt, type Model, type Named, type Said, type Service } from "./core-model.js";

/** The real core on a real store, spoken to in the model's words. */
export interface Core {
  store: Store;
  env: Environment;
}

/** @param model what is compared with it: it has the settings and the clock */
export function coreOn(store: Store, model: () => Model): Core {
  let made = 0;
  return {
    store,
    env: {
      nowMs: () => model().nowMs,
      newId(prefix) {
        made += 1;
        return `${prefix}_${made}`;
      },
      isOnline: () => false,
      get directChats() {
        return model().directChats;
      },
      get agentsMustBeKnown() {
        return model().known !== undefined;
      },
      get maxChannels() {
        return model().maxChannels;
      },
      get maxPendingRequests() {
        return model().maxPending;
      },
    },
  };
}

/** A channel's name on the wire. */
export function idOf(model: Model, chat: Named): string {
  if (chat === undefined) return "";
  return chat === "nowhere" ? "ch_nowhere" : chatAt(model, chat).id;
}

function frameOf(model: Model, said: Said): RequestFrame {
  switch (said.kind) {
    case "request": {
      const { service: serviceId, provider: providerId, words: content, key, ms } = said;
      const value = { serviceId, providerId, content, idempotencyKey: key };
      const timeout = durationOf(ms);
      return { $case: "chatRequest", value: ChatRequest.fromPartial({ ...value, timeout }) };
    }
    case "accept":
    case "reject": {
      const { consumer: consumerId, service: serviceId, words } = said;
      const value = { channelId: idOf(model, said.chat), consumerId, serviceId };
      return said.kind === "accept"
        ? { $case: "chatAccept", value: ChatAccept.fromPartial({ ...value, content: words }) }
        : { $case: "chatReject", value: ChatReject.fromPartial({ ...value, reason: words }) };
    }
    case "message": {
      const { service: serviceId, target: targetAgent, words: content, key, replyTo } = said;
      const channelId = idOf(model, said.chat);
      const value = { channelId, serviceId, targetAgent, content, messageId: key, replyTo };
      const metadata = new Map(said.trace === "" ? [] : [["traceparent", said.trace]]);
      const message = ChatMessage.fromPartial({ ...value, metadata });
      return { $case: "chatMessage", value: sentMessageOf(message) };
    }
    case "end": {
      const value = { channelId: idOf(model, said.chat), reason: said.words };
      return { $case: "chatEnd", value: ChatEnd.fromPartial(value) };
    }
    default:
      return said satisfies never;
  }
}

const context = (core: Core, tx: Transaction): Context => ({
  tx,
  env: core.env,
  written: [],
  moved: [],
  denied: [],
});

const callerOf = (agentId: string): Caller => ({
  agentId,
  role: ADMINS.includes(agentId) ? "admin" : "agent",
  address: "",
});

export function sayToCore(
  core: Core,
  tx: Transaction,
  model: Model,
  agent: string,
  said: Said,
): Promise<Answer> {
  const frame = frameOf(model, said);
  const refusal = checkFrame(frame, agent);
  if (refusal !== undefined) throw new Error(`a frame that no core is shown: ${refusal.message}`);
  return handleFrame(context(core, tx), callerOf(agent), frame);
}

export function readFromCore(
  core: Core,
  tx: Transaction,
  agent: string,
  asked: Partial<ChatHistory>,
): Promise<Answer> {
  const value = ChatHistory.fromPartial(asked);
  return handleFrame(context(core, tx), callerOf(agent), { $case: "chatHistory", value });
}

export async function registerAtCore(
  core: Core,
  tx: Transaction,
  agent: string,
  serviceId: string,
  service: Service,
): Promise<Refusal | undefined> {
  const { ACCEPT_POLICY_AUTO, ACCEPT_POLICY_MANUAL } = AcceptPolicy;
  const result = await registerService(
    context(core, tx),
    agent,
    ServiceMessage.fromPartial({
      serviceId,
      acceptPolicy: service.auto ? ACCEPT_POLICY_AUTO : ACCEPT_POLICY_MANUAL,
      maxActiveChats: service.most,
      allowedConsumers: [...service.allowed],
    }),
  );
  return "refusal" in result ? result.refusal : undefined;
}

export function unregisterAtCore(
  core: Core,
  tx: Transaction,
  agent: string,
  serviceId: string,
): Promise<Refusal | undefined> {
  return unregisterService(context(core, tx), agent, serviceId);
}

export async function ackAtCore(
  core: Core,
  tx: Transaction,
  agent: string,
  positions: { channelId: string; seq: number }[],
): Promise<Refusal | undefined> {
  const acks = positions.map(({ channelId, seq }) => ({ channelId, seq: BigInt(seq) }));
  const refusal = await checkPositions(context(core, tx), agent, acks);
  if (refusal === undefined) await movePositions(context(core, tx), agent, acks);
  return refusal;
}

/** The names of an agent's channels, page by page to the last. */
export async function channelsAtCore(
  core: Core,
  tx: Transaction,
  agent: string,
  asked: { memberId: string; pageSize: number },
): Promise<{ names: string[]; pages: number } | { refusal: Refusal }> {
  const names: string[] = [];
  let pageToken = "";
  for (let pages = 1; ; pages += 1) {
    const request = ListChannelsRequest.fromPartial({ ...asked, pageToken });
    const page = await listChannels(context(core, tx), callerOf(agent), request);
    if ("refusal" in page) return page;
    names.push(...page.channels.map(({ channelId }) => channelId));
    pageToken = page.nextPageToken;
    if (pageToken === "") return { names, pages };
  }
}

/** The names of the services that an agent finds. */
export async function servicesAtCore(core: Core, tx: Transaction, agent: string) {
  const request = ListServicesRequest.fromPartial({});
  const page = await listServices(context(core, tx), callerOf(agent), request);
  if ("refusal" in page) throw new Error(page.refusal.message);
  return page.services.map(({ serviceId }) => serviceId);
}

export function expireAtCore(core: Core, tx: Transaction, channelId: string): Promise<void> {
  return expireRequest(context(core, tx), channelId);
}
