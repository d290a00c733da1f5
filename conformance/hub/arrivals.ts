import { isObject, type Json } from "./contract.ts";
import { match, show } from "./match.ts";
import type { Variables } from "./values.ts";

/** What came to a session and has not been taken by a step. */
export interface Arrivals {
  add(response: Json): void;
  /** Takes the one that a pattern means; undefined where it has not come yet. @throws Error when another came first */
  take(pattern: Record<string, unknown>, variables: Variables): { bound: Variables } | undefined;
  /** What nobody expected: deliveries and words of the hub, without news of positions. */
  rest(): Json[];
}

/** Fields of a response that are not its frame. */
const ENVELOPE = ["requestId", "receipts", "replayed"];

/** The name of what a response or a pattern carries, such as `chatMessage`. */
export function frameOf(response: Record<string, unknown>): string | undefined {
  return Object.keys(response).find((key) => !ENVELOPE.includes(key));
}

/**
 * Keeps what the hub promises an order for in order: the deliveries of a channel. News of
 * positions may come at any time, and more or fewer of them.
 */
export function createArrivals(): Arrivals {
  const deliveries: Json[] = [];
  const progress: Json[] = [];
  const lastSeq = new Map<string, number>();

  function add(response: Json): void {
    const kind = frameOf(response) ?? "";
    if (kind === "progress") {
      progress.push(response);
      return;
    }
    const frame = response[kind];
    if (isObject(frame) && "seq" in frame) {
      const [channelId, seq] = [String(frame.channelId), Number(frame.seq)];
      const before = lastSeq.get(channelId) ?? 0;
      if (seq <= before) {
        throw new Error(
          `seq ${seq} came after seq ${before} of the same channel: ${show(response)}`,
        );
      }
      lastSeq.set(channelId, seq);
    }
    deliveries.push(response);
  }

  function takeProgress(pattern: unknown, variables: Variables) {
    for (const [index, one] of progress.entries()) {
      const found = match(pattern, one, variables);
      if ("differs" in found) continue;
      progress.splice(0, index + 1);
      return found;
    }
    return undefined;
  }

  function take(pattern: Record<string, unknown>, variables: Variables) {
    const kind = frameOf(pattern) ?? "";
    if (kind === "progress") return takeProgress(pattern, variables);
    const index = deliveries.findIndex((one) => isOfChannel(one, channelIn(pattern, variables)));
    const next = deliveries[index];
    if (next === undefined) return undefined;
    const found = match(pattern, next, variables);
    if ("differs" in found) {
      throw new Error(
        `${found.differs}\n    expected ${show(pattern)}\n    came     ${show(next)}`,
      );
    }
    deliveries.splice(index, 1);
    return found;
  }

  return { add, take, rest: () => deliveries };
}

/** The channel that a pattern names, where it names one. */
function channelIn(pattern: Record<string, unknown>, variables: Variables): string | undefined {
  const frame = pattern[frameOf(pattern) ?? ""];
  const named = isObject(frame) ? frame.channelId : undefined;
  if (typeof named !== "string") return undefined;
  const value = named.startsWith("$") ? variables.get(named.slice(1)) : named;
  return typeof value === "string" ? value : undefined;
}

function isOfChannel(response: Json, channelId: string | undefined): boolean {
  if (channelId === undefined) return true;
  const frame = response[frameOf(response) ?? ""];
  return isObject(frame) && frame.channelId === channelId;
}
