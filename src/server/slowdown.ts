import type { Rates } from "./rate.js";

/** Holds a session's reading up while its agent has sent more than it may in a second (M8). */
export interface Slowdown {
  /** A request came in. */
  count(sizeBytes: number): void;
  /** The session should not read on. */
  isOn(): boolean;
  stop(): void;
}

/** @param of.over called when the session may read on */
export function createSlowdown(of: { rates: Rates; agentId: string; over: () => void }): Slowdown {
  const { rates, agentId } = of;
  let timer: NodeJS.Timeout | undefined;

  /** Other sessions of the agent may have been quicker: then it is waited for again. */
  function wait(waitMs: number): void {
    timer = waitMs === 0 ? undefined : setTimeout(look, Math.ceil(waitMs)).unref();
  }

  function look(): void {
    wait(rates.waitMs(agentId));
    if (timer === undefined) of.over();
  }

  return {
    count(sizeBytes) {
      const waitMs = rates.take(agentId, sizeBytes);
      if (timer === undefined) wait(waitMs);
    },
    isOn: () => timer !== undefined,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
