import type { StoredEntry } from "../hub/entry.js";
import type { ChannelPosition } from "../protocol/wire.js";

/**
 * Positions of an `auto` session: an entry counts as handled when the transport
 * has taken its bytes (D2). Collected over a turn, so that a burst moves each
 * channel's position once.
 * @param acknowledge called with the newest position of each channel
 * @returns what to call for each entry taken, in delivery order
 */
export function takenPositions(
  acknowledge: (acks: ChannelPosition[]) => void,
): (entry: StoredEntry) => void {
  const positions = new Map<string, number>();
  return ({ channelId, seq }) => {
    if (positions.size === 0) {
      setImmediate(() => {
        const acks = [...positions].map(([id, last]) => ({ channelId: id, seq: BigInt(last) }));
        positions.clear();
        acknowledge(acks);
      });
    }
    positions.set(channelId, seq);
  };
}
