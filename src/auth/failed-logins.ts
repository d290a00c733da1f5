import { isIPv6 } from "node:net";

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
      const group = addressGroup(address);
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

/** An IPv6 host has a whole /64 of addresses to itself. */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ""] = address.split("%");
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
