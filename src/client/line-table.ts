import { type Line, newLine } from "./line.js";

/** Channels that are over and still remembered, so that a late repeat is recognised. */
const MAX_ENDED_LINES = 4096;

/** The lines of all channels: kept as long as a channel may go on. */
export interface LineTable {
  /** The channel's line; a new one where there is none. */
  of(channelId: string): Line;
  find(channelId: string): Line | undefined;
  all(): Iterable<Line>;
  /** The channel is over: of those, only the last few thousand are remembered. */
  ended(channelId: string): void;
  clear(): void;
}

export function createLineTable(): LineTable {
  const lines = new Map<string, Line>();
  const ended = new Set<string>();

  return {
    of(channelId) {
      let line = lines.get(channelId);
      if (line === undefined) {
        line = newLine(channelId);
        lines.set(channelId, line);
      }
      return line;
    },
    find: (channelId) => lines.get(channelId),
    all: () => lines.values(),
    ended(channelId) {
      ended.add(channelId);
      if (ended.size <= MAX_ENDED_LINES) return;
      for (const oldest of ended) {
        const line = lines.get(oldest);
        if (line !== undefined && (line.running !== undefined || line.queue.length > 0)) continue;
        ended.delete(oldest);
        lines.delete(oldest);
        return;
      }
    },
    clear() {
      lines.clear();
      ended.clear();
    },
  };
}
