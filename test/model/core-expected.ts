import type { RefusalReason } from "../../src/protocol/refusals.js";
import { isMember, type Line, type Model, type Named, type Said } from "./core-model.js";

/** One kind of frame. */
export type Of<Kind extends Said["kind"]> = Extract<Said, { kind: Kind }>;

/** What the hub has to answer. Where several faults meet, either of their reasons is right. */
export type Expected =
  | { refused: RefusalReason[] }
  | { line: Line; duplicate: boolean }
  | { done: true };

export const no = (...refused: RefusalReason[]): Expected => ({ refused });
export const stored = (line: Line): Expected => ({ line, duplicate: false });

/** Whether the hub says that there is no such agent (I3). */
export const isUnknown = (model: Model, agent: string): boolean =>
  model.known !== undefined && !model.known.includes(agent);

/** The member's chat that a frame names, or nothing: it is not there for others (C7). */
export function named(model: Model, agent: string, name: Named): number | undefined {
  if (typeof name !== "number") return undefined;
  const chat = model.chats[name];
  return chat !== undefined && isMember(chat, agent) ? name : undefined;
}
