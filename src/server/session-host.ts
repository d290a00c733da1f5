import type { Caller } from "../hub/credentials.js";
import type { HubLimits } from "../protocol/limits.js";
import type { ChannelPosition } from "../protocol/wire.js";
import type { Rates } from "./rate.js";
import type { SessionStream } from "./session-stream.js";
import type { Turns } from "./turns.js";

/** What all sessions of a hub work with. */
export interface SessionSettings {
  turns: Turns;
  rates: Rates;
  maxMessageBytes: number;
  limits: HubLimits;
  heartbeatIntervalMs: number;
}

/** Whom a session belongs to, and who does what it does not do itself. */
export interface SessionHost {
  readonly caller: Caller;
  readonly stream: SessionStream;
  readonly settings: SessionSettings;
  /** SessionStarted as encoded, with the entries about to be replayed, at most. */
  greeting(backlog: number): Uint8Array;
  /** The session starts no further delivery. */
  stopFeed(): void;
  /** There is room in the outbox again. */
  resumeFeed(): void;
  /** What was acked or set aside no longer counts as unacked (D5). */
  release(positions: ChannelPosition[]): void;
  /** There are channels of which nothing can be acked any more. */
  forget(channelIds: string[]): void;
  /** The client has sent heartbeats and is silent now (L3). */
  silent(): void;
  /** `settle` has to be called at the end of the transaction. */
  receiptsWaiting(): void;
}
