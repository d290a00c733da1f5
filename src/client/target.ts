import type { RequestFrame } from "./to-wire.js";

/** Which channel a frame is for, as far as the frame says it; empty where it does not. */
export interface Target {
  kind: RequestFrame["$case"];
  channelId: string;
  /** Of a message. */
  targetAgent: string;
}

export function targetOf(frame: RequestFrame): Target {
  return {
    kind: frame.$case,
    channelId: frame.$case === "chatRequest" ? "" : frame.value.channelId,
    targetAgent: frame.$case === "chatMessage" ? frame.value.targetAgent : "",
  };
}

/** Both frames may be for one channel. */
export function mayMeet(one: Target, other: Target): boolean {
  // A request for a chat begins a channel of its own.
  if (one.kind === "chatRequest" || other.kind === "chatRequest") return false;
  if (one.channelId !== "" && other.channelId !== "") return one.channelId === other.channelId;
  if (one.kind !== "chatMessage" || other.kind !== "chatMessage") return true;
  const [agent, otherAgent] = [one.targetAgent, other.targetAgent];
  return agent === otherAgent || agent === "" || otherAgent === "";
}

/** Asks only, so it may overtake and be overtaken. */
export function isQuery({ kind }: Target): boolean {
  return kind === "chatHistory";
}
