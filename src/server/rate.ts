/** What each agent has sent lately, over all its sessions and calls (M8). */
export interface Rates {
  /** Counts a request that was taken. @returns how long until the next one may be, as `waitMs` says */
  take(agentId: string, sizeBytes: number): number;
  /**
   * Counts what a call took of the hub's time, as the requests that might have been sent in twice
   * that time: so an agent's calls take half of it at most.
   */
  spend(agentId: string, tookMs: number): void;
  /** How long until the agent may send another request, in milliseconds; 0: now. */
  waitMs(agentId: string): number;
}

/** What is left of an agent's second. Below 0 where the last request was larger than that. */
interface Bucket {
  frames: number;
  bytes: number;
  atMs: number;
}

/** From so many agents on, those that have not sent for a second are forgotten. */
const MANY_AGENTS = 1_000;
/** What sums of fractions may be off by. */
const ROUNDING = 1e-6;

/**
 * A token bucket for each agent, which holds one second's worth. A request may be sent while there
 * is one frame and one byte left; its size is known only then, and what it takes beyond what was
 * there is waited for afterwards.
 * @param of.nowMs a monotonic clock
 * @param of.maxFramesPerSecond 0: any number
 * @param of.maxBytesPerSecond 0: any number
 */
export function createRates(of: {
  maxFramesPerSecond: number;
  maxBytesPerSecond: number;
  nowMs: () => number;
}): Rates {
  const mostFrames = of.maxFramesPerSecond || Number.POSITIVE_INFINITY;
  const mostBytes = of.maxBytesPerSecond || Number.POSITIVE_INFINITY;
  const buckets = new Map<string, Bucket>();
  let sweptMs = of.nowMs();

  /** The agent's bucket as it is now; one that is not there has sent nothing for a second. */
  function bucketOf(agentId: string, atMs: number): Bucket {
    let bucket = buckets.get(agentId);
    if (bucket === undefined) {
      bucket = { frames: mostFrames, bytes: mostBytes, atMs };
      buckets.set(agentId, bucket);
    }
    const seconds = Math.max(0, atMs - bucket.atMs) / 1000;
    bucket.frames = Math.min(mostFrames, bucket.frames + seconds * of.maxFramesPerSecond);
    bucket.bytes = Math.min(mostBytes, bucket.bytes + seconds * of.maxBytesPerSecond);
    bucket.atMs = atMs;
    return bucket;
  }

  function sweep(atMs: number): void {
    if (buckets.size < MANY_AGENTS || atMs - sweptMs < 1000) return;
    sweptMs = atMs;
    for (const agentId of buckets.keys()) {
      const { frames, bytes } = bucketOf(agentId, atMs);
      if (frames === mostFrames && bytes === mostBytes) buckets.delete(agentId);
    }
  }

  function waitFor({ frames, bytes }: Bucket): number {
    const waitMs = Math.max(msUntil(1, frames, mostFrames), msUntil(1, bytes, mostBytes));
    return waitMs > ROUNDING ? waitMs : 0;
  }

  return {
    take(agentId, sizeBytes) {
      const atMs = of.nowMs();
      sweep(atMs);
      const bucket = bucketOf(agentId, atMs);
      bucket.frames -= 1;
      bucket.bytes -= sizeBytes;
      return waitFor(bucket);
    },
    spend(agentId, tookMs) {
      if (of.maxFramesPerSecond === 0) return;
      const bucket = bucketOf(agentId, of.nowMs());
      const frames = bucket.frames - (2 * tookMs * of.maxFramesPerSecond) / 1000;
      buckets.set(agentId, { ...bucket, frames });
    },
    waitMs(agentId) {
      return waitFor(bucketOf(agentId, of.nowMs()));
    },
  };
}

function msUntil(wanted: number, has: number, perSecond: number): number {
  return has >= wanted ? 0 : ((wanted - has) / perSecond) * 1000;
}
