import type { Delivery } from "./delivery.js";
import type { RoomBounds } from "./room.js";

/** What an inbox needs of its surroundings. */
export interface InboxLinks {
  /** For the entries that wait. */
  bounds: RoomBounds;
  /** Everything in the channel up to seq is handled. */
  ack(channelId: string, seq: number): void;
  /** Everything in the channel up to seq that is not handled is left to a later session. */
  setAside(channelId: string, seq: number): void;
  /** Ends this session and begins another, which is sent everything that is not acked. */
  reopen(): void;
  /** Whether a requestChat takes the entry, cannot tell yet, or does not. */
  claim(delivery: Delivery): "claimed" | "undecided" | "not mine";
  /** A requestChat is waiting, for its receipt or for its answer. */
  expectsAnswers(): boolean;
}
