import type { StoredEntry } from "../../src/hub/entry.js";
import type { WindowLimits } from "../../src/server/window.js";
import type { LogWatch } from "./log-watch.js";

/** What surrounds an entry in a delivery, at most. */
const ENVELOPE_BYTES = 16;

/** What one session was delivered, and what it ought to be. */
export interface DeliveryWatch {
  /** An entry is written to the session. @param sizeBytes of the response */
  delivered(entry: StoredEntry, sizeBytes: number): void;
  /** The hub has read that deliveries up to there no longer count as unacked (D5). */
  released(channelId: string, seq: number): void;
  /** It has not refused to take that in. */
  surelyReleased(channelId: string, seq: number): void;
  /** Everything that nothing stands in the way of is there, now that the hub is at rest (D1). */
  checkComplete(): void;
}

/** @param of.window what may be unacked; undefined where deliveries are not acked */
export function watchDeliveries(of: {
  agentId: string;
  log: LogWatch;
  window: WindowLimits | undefined;
  violated: (what: string) => void;
}): DeliveryWatch {
  const { agentId, log, window, violated } = of;
  const last = new Map<string, number>();
  /** Where the agent was in each channel when the session began: it starts there or later. */
  const startedAt = new Map(
    log
      .channels()
      .map(({ channelId }) => [channelId, log.position(channelId, agentId) ?? 0] as const),
  );
  /** What counts as unacked at least, and what does at most. */
  let unacked: { channelId: string; seq: number; sizeBytes: number }[] = [];
  let kept: typeof unacked = [];

  /** The next entry of another after a seq: an entry's place in the log is its seq less one. */
  function nextAfter(channelId: string, seq: number): StoredEntry | undefined {
    const entries = log.log(channelId);
    for (let place = seq; place < entries.length; place += 1) {
      if (entries[place]?.author !== agentId) return entries[place];
    }
    return undefined;
  }

  function checkOrder({ channelId, seq }: StoredEntry): void {
    const before = last.get(channelId);
    if (before !== undefined) {
      const expected = nextAfter(channelId, before)?.seq;
      if (seq !== expected) {
        const what = seq <= before ? "repeat" : "gap";
        violated(`a ${what}: ${agentId} gets ${channelId} ${seq} where ${expected} is next (D1)`);
      }
      return;
    }
    const start = startedAt.get(channelId) ?? 0;
    if (seq <= start) violated(`stale: ${agentId} gets ${channelId} ${seq} and was at ${start}`);
    const now = log.position(channelId, agentId) ?? 0;
    const missed = nextAfter(channelId, now);
    if (missed !== undefined && missed.seq < seq) {
      violated(`a gap: ${agentId} gets ${channelId} ${seq} and never ${missed.seq} (D1)`);
    }
  }

  function checkWindow(channelId: string): void {
    if (window === undefined) return;
    const inChannel = unacked.filter((one) => one.channelId === channelId).length;
    const bytes = unacked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (inChannel > window.perChannel) violated(`${inChannel} unacked in ${channelId} (D5)`);
    if (unacked.length > window.total) violated(`${unacked.length} unacked in all (D5)`);
    if (bytes > window.bytes && unacked.length > 1) violated(`${bytes} bytes unacked (D5)`);
  }

  /** Whether a channel has reached its bound, and a quarter of it is not free yet. */
  function isHeld(channelId: string): boolean {
    if (window === undefined) return false;
    const inChannel = kept.filter((one) => one.channelId === channelId).length;
    return inChannel > window.perChannel - Math.ceil(window.perChannel / 4);
  }

  /** Whether one of these has no place among all that is kept: then the others wait as well. */
  function isFull(next: StoredEntry[]): boolean {
    if (window === undefined || kept.length === 0) return false;
    if (kept.length >= window.total) return true;
    const bytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return next.some(({ body }) => bytes + body.length + ENVELOPE_BYTES > window.bytes);
  }

  return {
    delivered(entry, sizeBytes) {
      const { channelId, seq } = entry;
      if (entry.author === agentId) violated(`${agentId} gets its own ${channelId} ${seq} (M6)`);
      if (log.position(channelId, agentId) === undefined) violated(`${agentId} is no member (C7)`);
      checkOrder(entry);
      last.set(channelId, seq);
      unacked.push({ channelId, seq, sizeBytes });
      kept.push({ channelId, seq, sizeBytes });
      checkWindow(channelId);
    },
    released(channelId, seq) {
      unacked = unacked.filter((one) => one.channelId !== channelId || one.seq > seq);
    },
    surelyReleased(channelId, seq) {
      kept = kept.filter((one) => one.channelId !== channelId || one.seq > seq);
    },
    checkComplete() {
      const next = log.channels().flatMap(({ channelId }) => {
        const position = log.position(channelId, agentId);
        if (position === undefined) return [];
        return nextAfter(channelId, last.get(channelId) ?? position) ?? [];
      });
      const waits = next.find(({ channelId }) => !isHeld(channelId));
      if (waits !== undefined && !isFull(next)) {
        violated(`${agentId} is not sent ${waits.channelId} ${waits.seq}, and nothing waits (D1)`);
      }
    },
  };
}
