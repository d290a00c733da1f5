import { peerOf } from "../hub/channel.js";
import type { Moved, Written } from "../hub/context.js";
import { HUB_AUTHOR, type StoredEntry } from "../hub/entry.js";

/** A receiving session, as far as others need to know it. */
export interface Receiver {
  /** Its agent is sent this entry. */
  offer(entry: StoredEntry): void;
  /** A peer of its agent has handled more. */
  progressed(channelId: string, peerId: string, ackedSeq: number): void;
  /** A newer session of the agent has taken over; nothing this one sends counts any more. */
  supersede(): void;
}

/** Which session receives for which agent: at most one each (I4). */
export interface Receivers {
  /** Makes a session the agent's receiving one, and ends the one before. */
  claim(agentId: string, receiver: Receiver): void;
  /** The session is gone; does nothing where another has taken over. */
  release(agentId: string, receiver: Receiver): void;
  isOnline(agentId: string): boolean;
  /** Offers an entry to the members of its channel, except to its author (M6, C8). */
  deliver(written: Written): void;
  /** Tells the other member of a channel that an agent's position has moved (D6). */
  progressed(moved: Moved): void;
}

/** An empty registry. */
export function createReceivers(): Receivers {
  const byAgent = new Map<string, Receiver>();

  return {
    claim(agentId, receiver) {
      const before = byAgent.get(agentId);
      byAgent.set(agentId, receiver);
      before?.supersede();
    },
    release(agentId, receiver) {
      if (byAgent.get(agentId) === receiver) byAgent.delete(agentId);
    },
    isOnline: (agentId) => byAgent.has(agentId),
    deliver({ entry, channel }) {
      const { author } = entry;
      // failpoint: before-delivery
      if (author !== HUB_AUTHOR) {
        byAgent.get(peerOf(channel, author))?.offer(entry);
        return;
      }
      byAgent.get(channel.providerId)?.offer(entry);
      byAgent.get(channel.consumerId)?.offer(entry);
    },
    progressed({ channel, agentId, position }) {
      // failpoint: after-ack-commit
      const peer = byAgent.get(peerOf(channel, agentId));
      peer?.progressed(channel.channelId, agentId, position);
    },
  };
}
