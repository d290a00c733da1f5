import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { RecordedEnd } from "./recording.js";

/** What one session was told, in an order that does not depend on how responses were packed. */
export interface Heard {
  /** Greeting and farewell, and refusals of what had no request id. */
  words: JsonValue[];
  /** By request id. */
  answers: Record<string, JsonValue[]>;
  /** By channel, in the order of arrival. */
  deliveries: Record<string, JsonValue[]>;
  end?: RecordedEnd;
}

/** Names that a hub makes up, by the fields that hold them. */
const MADE_UP = new Set(["channelId", "openChannelId", "messageId", "idempotencyKey", "sessionId"]);
const TIMES = new Set(["timestamp", "createdAt", "endedAt", "registeredAt"]);
/** Who it is, what it says to people, and what is random: nothing that clients may rely on. */
const SAID_FREELY = new Set(["hubVersion", "message", "reconnectAfter"]);

/** Makes what two hubs said comparable; one for each hub. */
export type Plain = (value: JsonValue) => JsonValue;

/**
 * Replaces what another hub may say in another way: a name it has made up by its number in the
 * order of appearance, a later time by "later".
 * @param of.isOld knows the names that are kept, or that the client has said: those stay
 * @param of.keptAtMs times that are not later stay
 */
export function plainWords(of: { isOld: (name: string) => boolean; keptAtMs: number }): Plain {
  const numbers = new Map<string, string>();

  function nameOf(name: string): string {
    if (name === "" || of.isOld(name)) return name;
    const number = numbers.get(name) ?? `made up ${numbers.size + 1}`;
    numbers.set(name, number);
    return number;
  }
  function fieldOf(key: string, value: JsonValue): JsonValue {
    if (typeof value === "string") {
      if (MADE_UP.has(key)) return nameOf(value);
      if (TIMES.has(key)) return Date.parse(value) <= of.keptAtMs ? value : "later";
      if (SAID_FREELY.has(key)) return "said";
    }
    return plain(value);
  }
  function plain(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, fieldOf(key, part)]),
    );
  }
  return plain;
}

/** Nothing yet. */
export function nothingHeard(): Heard {
  return { words: [], answers: {}, deliveries: {} };
}

/**
 * Sorts a response into what was heard.
 * @param response as the release's contract reads it, in plain words
 * @returns how much of it there was: one for each receipt, one for a frame, and one for the
 *   answer to a heartbeat; 0 for news of positions, which may come or not, and for what the
 *   release does not know
 */
export function hear(heard: Heard, response: JsonObject, hasUnknown: boolean): number {
  const { requestId = "", receipts = [], replayed = false, ...frames } = response;
  for (const receipt of receipts as JsonObject[]) {
    addTo(heard.answers, String(receipt.requestId ?? ""), { receipt });
  }
  const count = (receipts as JsonObject[]).length;
  const [found] = Object.entries(frames) as [string, JsonObject][];
  if (found === undefined) {
    if (count > 0 || (requestId === "" && hasUnknown)) return count;
    addTo(heard.answers, String(requestId), "nothing but an answer");
    return 1;
  }
  const [frame, value] = found;
  if (frame === "progress") return count;
  if (requestId !== "") addTo(heard.answers, String(requestId), { [frame]: value });
  else if (typeof value.channelId === "string") {
    addTo(heard.deliveries, value.channelId, { [frame]: value, replayed });
  } else heard.words.push({ [frame]: value });
  return count + 1;
}

function addTo(lists: Record<string, JsonValue[]>, key: string, value: JsonValue): void {
  lists[key] ??= [];
  lists[key].push(value);
}
