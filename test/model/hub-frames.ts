import { durationOf } from "../../src/protocol/time.js";
import {
  ChannelState,
  ChatAccept,
  ChatEnd,
  ChatHistory,
  ChatMessage,
  ChatReject,
  ChatRequest,
  type ConnectRequest,
} from "../../src/protocol/wire.js";
import { AUTO_SERVICE, type FrameStep } from "./hub-steps.js";
import type { World } from "./hub-world.js";
import { FAULTY_KEY } from "./store-double.js";

type Frame = NonNullable<ConnectRequest["frame"]>;

const LARGE = "x".repeat(400_000);

/** The nth of the items, counted round and round; undefined where there are none. */
export const nth = <T>(items: readonly T[], index: number): T | undefined =>
  items[index % items.length];

/** A frame with words and a key that no other has. */
export function frameOf(world: World, agentId: string, step: FrameStep): Frame | undefined {
  const words = `w${world.said.length}`;
  const own = world.log
    .channels()
    .filter((one) => one.providerId === agentId || one.consumerId === agentId);
  const fitting = own.filter(({ state, providerId }) => {
    if (step.kind !== "accept" && step.kind !== "reject") return true;
    return state === ChannelState.CHANNEL_STATE_REQUESTED && providerId === agentId;
  });
  const channelId =
    "channel" in step ? nth(fitting.length > 0 ? fitting : own, step.channel)?.channelId : "";
  if (channelId === undefined) return undefined;
  const message = (fields: Partial<ChatMessage>): Frame => ({
    $case: "chatMessage",
    value: ChatMessage.fromPartial({ messageId: `m-${words}`, content: words, ...fields }),
  });
  const request = (fields: Partial<ChatRequest>, timeoutMs: number): Frame => ({
    $case: "chatRequest",
    value: ChatRequest.fromPartial({
      ...{ idempotencyKey: `k-${words}`, content: words, timeout: durationOf(timeoutMs) },
      ...fields,
    }),
  });
  switch (step.kind) {
    case "message":
      return message({
        channelId,
        ...(step.large && { data: Buffer.from(LARGE) }),
        ...(step.faulty && { messageId: `${FAULTY_KEY}-${words}` }),
      });
    case "message to":
      return message({ targetAgent: step.agent });
    case "message to service":
      return message({ serviceId: AUTO_SERVICE });
    case "request":
      return request({ providerId: step.agent }, step.timeoutMs);
    case "request service":
      return request({ serviceId: AUTO_SERVICE }, step.timeoutMs);
    case "accept":
      return { $case: "chatAccept", value: ChatAccept.fromPartial({ channelId, content: words }) };
    case "reject":
      return { $case: "chatReject", value: ChatReject.fromPartial({ channelId, reason: words }) };
    case "end":
      return { $case: "chatEnd", value: ChatEnd.fromPartial({ channelId, reason: words }) };
    case "history":
      return { $case: "chatHistory", value: ChatHistory.fromPartial({ channelId }) };
    default:
      return step satisfies never;
  }
}
