import { addressKey } from "../protocol/address-key.js";

const WINDOW_MS = 60_000;
/** Addresses that are remembered; beyond, the ones that failed first are forgotten. */
const MAX_ADDRESSES = 100_000;

/** Counts logins that failed, by the address they came from. */
export interface FailedLogins {
  /**
   * Notes that a login has failed.
   * @returns how long the address should wait, in milliseconds, where it has failed too often;
   *   undefined where it has not
   */
  note(address: string): number | undefined;
}

/**
 * @param of.maxPerMinute how many may fail in a minute that begins with the first; 0: any number
 * @param of.nowMs a clock that never goes back
 */
export function countFailedLogins(of: { maxPerMinute: number; nowMs: () => number }): FailedLogins {
  /** In the order in which their minutes began. */
  const minutes = new Map<string, { beganAtMs: number; failures: number }>();

  return {
    note(address) {
      if (of.maxPerMinute === 0) return undefined;
      const nowMs = of.nowMs();
      const group = addressKey(address);
      for (const [key, { beganAtMs }] of minutes) {
        if (nowMs - beganAtMs < WINDOW_MS && minutes.size <= MAX_ADDRESSES) break;
        minutes.delete(key);
      }
      const minute = minutes.get(group) ?? { beganAtMs: nowMs, failures: 0 };
      minute.failures += 1;
      minutes.set(group, minute);
      if (minute.failures <= of.maxPerMinute) return undefined;
      return Math.ceil(minute.beganAtMs + WINDOW_MS - nowMs);
    },
  };
}
