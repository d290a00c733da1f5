import type { Outbox } from "./outbox.js";
import { encodeFrame } from "./responses.js";

/** How long progress of a channel is collected before the newest is told, in milliseconds (D6). */
const COALESCE_MS = 50;

/** Tells a session how far its agent's peers have got (D6). */
export interface Progress {
  /** A peer's position has moved. */
  moved(channelId: string, peerId: string, ackedSeq: number): void;
  /** There is room in the outbox again. */
  resume(): void;
  /** Tells nothing further. */
  stop(): void;
}

/** Holds one number for each channel whose news could not be told yet. */
export function createProgress(outbox: Outbox): Progress {
  const newest = new Map<string, { channelId: string; agentId: string; ackedSeq: bigint }>();
  let timer: NodeJS.Timeout | undefined;
  let due = false;
  let stopped = false;

  function tell(): void {
    for (const [channelId, value] of newest) {
      const bytes = encodeFrame({ $case: "progress", value });
      if (!outbox.fits(bytes.length)) return;
      newest.delete(channelId);
      outbox.push(bytes);
    }
    due = false;
  }

  return {
    moved(channelId, agentId, ackedSeq) {
      if (stopped) return;
      newest.set(channelId, { channelId, agentId, ackedSeq: BigInt(ackedSeq) });
      if (due || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        due = true;
        tell();
      }, COALESCE_MS).unref();
    },
    resume() {
      if (due) tell();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      newest.clear();
    },
  };
}
