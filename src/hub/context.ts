import type { AuditEvent } from "./audit.js";
import type { Channel } from "./channel.js";
import type { StoredEntry } from "./entry.js";
import type { Transaction } from "./store.js";

/** What the core may not know by itself; the shell, or a test, passes it in. */
export interface Environment {
  /** Wall clock, for timestamps only: never for order (M4). */
  nowMs(): number;
  /** A new name that no other has, such as `ch_…`. */
  newId(prefix: "ch" | "msg" | "req"): string;
  /** Whether an agent has a receiving session (S2). */
  isOnline(agentId: string): boolean;
  /** Chats without a service are allowed. */
  directChats: boolean;
  /** Only agents that credentials have named can be spoken to (I3). */
  agentsMustBeKnown: boolean;
  /** Pending requests one consumer may have; 0: any number (C2). */
  maxPendingRequests: number;
  /** Unended chats an agent may have asked for, its services counted in; 0: any number. */
  maxChannels: number;
}

/** An entry that the running transaction stores, and the channel after it. */
export interface Written {
  entry: StoredEntry;
  channel: Channel;
}

/** A position that the running transaction moves, by an ack. */
export interface Moved {
  channel: Channel;
  agentId: string;
  position: number;
}

/** Somebody named what exists and is not theirs; the answer does not tell. */
export type Denial = Pick<AuditEvent, "actor" | "agentId" | "channelId" | "detail">;

/** What one command works with: a transaction, the environment, and what it has done so far. */
export interface Context {
  tx: Transaction;
  env: Environment;
  written: Written[];
  moved: Moved[];
  /** Noted for the audit log later, so that the answer takes no longer than one about nothing. */
  denied: Denial[];
}
