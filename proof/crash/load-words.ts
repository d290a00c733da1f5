import type { CastMember } from "./cast.ts";

/** What a process of the load is told. */
export type LoadOrder =
  /** Makes the journal and the agents, and registers their services. */
  | { order: "prepare"; address: string; cast: CastMember[]; seed: number; journal: string }
  /** The hub serves, or serves again; counted from 1. */
  | { order: "dial"; dialled: number }
  /** No new conversations and messages from now on; what was begun is finished. */
  | { order: "close" }
  | { order: "look" }
  /** Everybody leaves, and the process ends. */
  | { order: "leave" };

/** What it tells. */
export type LoadWord =
  /** What was to be prepared is. */
  | { word: "ready" }
  /** So many receipts since the last word of this kind, for what was not stored before. */
  | { word: "receipts"; count: number; dialled: number }
  /** What `look` saw. Deliveries and receipts are counted from the beginning. */
  | { word: "seen"; unsettled: string[]; delivered: number; receipts: number }
  /** A client of the package has a session. Times are milliseconds since the epoch. */
  | { word: "connected"; agent: string; atMs: number }
  /** It has lost it, or has not got one, and will try again. */
  | { word: "disconnected"; agent: string; atMs: number; reason: string; retryInMs: number };
