import type { JsonObject, Said } from "./contract.ts";
import type { HubStream } from "./scripted-hub.ts";

/** A request with a frame. */
export interface Frame {
  requestId: string;
  /** Which frame it is, such as `chatMessage`. */
  kind: string;
  value: JsonObject;
  arrivedMs: number;
}

/** One session, and what came over it. */
export interface Session {
  number: number;
  stream: HubStream;
  openedMs: number;
  /** Frames that no step has taken yet. */
  frames: Frame[];
  /** Those that are not answered yet. */
  requestIds: Set<string>;
  /** The furthest ack of each channel. */
  acks: Map<string, number>;
  heartbeats: number;
  over: boolean;
}

/** The frame in a request; undefined where it holds none. */
export function frameOf(request: JsonObject): Frame | undefined {
  const kind = Object.keys(request).find((key) => key.startsWith("chat"));
  const value = kind === undefined ? undefined : request[kind];
  if (kind === undefined || !isObject(value)) return undefined;
  return { requestId: String(request.requestId ?? ""), kind, value, arrivedMs: performance.now() };
}

/** The positions that a request acks. */
export function acksOf(request: JsonObject): { channelId: string; seq: number }[] {
  const acks = Array.isArray(request.acks) ? request.acks.filter(isObject) : [];
  return acks.map(({ channelId, seq }) => ({
    channelId: String(channelId ?? ""),
    seq: Number(seq ?? 0),
  }));
}

/** The entry that a response delivers. */
export function entryOf({ json }: Said): { channelId: string; seq: number } | undefined {
  const entry = Object.entries(json).find(
    ([key, value]) => key.startsWith("chat") && isObject(value) && "seq" in value,
  )?.[1];
  if (!isObject(entry)) return undefined;
  return { channelId: String(entry.channelId ?? ""), seq: Number(entry.seq) };
}

/** The requests that a response answers. */
export function answeredBy({ json }: Said): string[] {
  const receipts = Array.isArray(json.receipts) ? json.receipts.filter(isObject) : [];
  return [json, ...receipts].map(({ requestId }) => String(requestId ?? ""));
}

/** The same entry again: metadata may carry another trace. */
export function isSameFrame(one: Frame, other: Frame): boolean {
  const essence = ({ kind, value: { metadata: _, ...rest } }: Frame) =>
    JSON.stringify([kind, Object.entries(rest).sort()]);
  return essence(one) === essence(other);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
