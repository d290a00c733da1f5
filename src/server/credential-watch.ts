import { endOfKey } from "../auth/authenticator.js";
import type { KeyRing } from "../auth/key-ring.js";
import type { Principal } from "../auth/principal.js";
import type { KeyRecord } from "../hub/credentials.js";
import { type Refusal, refuse } from "../protocol/refusals.js";

/** How often live sessions are held against the keys, in milliseconds. */
const LOOK_EVERY_MS = 250;
/** A session is told to renew when so little of its time is left: this much, or this part of it. */
const RENEW_BEFORE_MS = 30_000;
const RENEW_BEFORE_PART = 0.1;
/** Where less than this is left at its beginning, it is not told before its end. */
const TOO_SHORT_MS = 1_000;

/** What becomes of a session: it ends, and may come back or not. */
export type EndSession = (word: Refusal, reconnectAfterMs?: number) => void;

/** Notices when the credentials of live sessions end. */
export interface CredentialWatch {
  /** Watches a session. @returns stops watching */
  add(principal: Principal, end: EndSession): () => void;
  /**
   * Why credentials that were good a while ago are so no longer; undefined where they are.
   * @throws StorageError where the keys cannot be read
   */
  endOf(principal: Principal): Promise<Refusal | undefined>;
  /** Watches nobody any more. */
  stop(): void;
}

const RENEW = refuse(
  "CREDENTIALS_EXPIRED",
  "these credentials expire; connect again with fresh ones",
);

const GONE = refuse("CREDENTIALS_REVOKED", "this API key is gone");

interface Watched {
  principal: Principal;
  end: EndSession;
  /** When it is told, by a clock that never stands still or goes back. */
  dueAtMs: number;
}

/**
 * Expiry is a matter of the wall clock, which may be set; a session ends when either that or the
 * time since its beginning says so.
 * @param of.problem told why the keys cannot be read; what was known goes on
 */
export function watchCredentials(of: {
  keys: KeyRing;
  nowMs: () => number;
  problem: (error: unknown) => void;
}): CredentialWatch {
  const { keys, nowMs } = of;
  const watched = new Set<Watched>();

  function look(): void {
    const known = keys.known();
    for (const one of watched) {
      const { kind, id } = one.principal.credential;
      const record = kind === "key" ? known.get(id) : undefined;
      const ended = kind === "key" ? endOfWatchedKey(record) : undefined;
      if (ended !== undefined) {
        watched.delete(one);
        one.end(ended);
        continue;
      }
      // Rotating a key gives the old one an end that it did not have.
      const expiresAtMs = record?.expiresAtMs || one.principal.expiresAtMs;
      if (expiresAtMs !== one.principal.expiresAtMs) {
        one.principal = { ...one.principal, expiresAtMs };
        one.dueAtMs = dueAt(expiresAtMs);
      }
      const isOver = expiresAtMs !== undefined && expiresAtMs <= nowMs();
      if (!isOver && performance.now() < one.dueAtMs) continue;
      watched.delete(one);
      one.end(RENEW, 0);
    }
  }

  /** Why a key ends its sessions for good; that one has expired does not, for there may be another. */
  function endOfWatchedKey(record: KeyRecord | undefined): Refusal | undefined {
    if (record === undefined) return GONE;
    const end = endOfKey(record, nowMs());
    return end?.reason === "CREDENTIALS_REVOKED" ? end : undefined;
  }

  function dueAt(expiresAtMs: number | undefined): number {
    if (expiresAtMs === undefined) return Number.POSITIVE_INFINITY;
    const leftMs = expiresAtMs - nowMs();
    const before = Math.min(RENEW_BEFORE_MS, leftMs * RENEW_BEFORE_PART);
    return performance.now() + (leftMs < TOO_SHORT_MS ? leftMs : leftMs - before - LOOK_EVERY_MS);
  }

  keys.onRead(look);
  const timer = setInterval(() => {
    if (watched.size === 0) return;
    keys.current().then(look, of.problem);
  }, LOOK_EVERY_MS).unref();
  return {
    add(principal, end) {
      const { kind } = principal.credential;
      if (kind !== "key" && principal.expiresAtMs === undefined) return () => {};
      const one = { principal, end, dueAtMs: dueAt(principal.expiresAtMs) };
      watched.add(one);
      return () => void watched.delete(one);
    },
    async endOf({ credential, expiresAtMs }) {
      if (credential.kind === "key") {
        const record = (await keys.current()).get(credential.id);
        return record === undefined ? GONE : endOfKey(record, nowMs());
      }
      return expiresAtMs !== undefined && expiresAtMs <= nowMs() ? RENEW : undefined;
    },
    stop() {
      clearInterval(timer);
      watched.clear();
    },
  };
}
