import type { KeyRecord } from "../hub/credentials.js";

/** A key as commands show it: without any of its secret. */
export interface KeyView {
  keyId: string;
  agents: string;
  role: string;
  state: "valid" | "expired" | "revoked";
  label: string;
  createdAt: Date;
  /** Undefined: it does not expire. */
  expiresAt: Date | undefined;
  revokedAt: Date | undefined;
}

/** What may be shown of a key. */
export function keyView(key: KeyRecord, nowMs: number): KeyView {
  const isExpired = key.expiresAtMs !== 0 && key.expiresAtMs <= nowMs;
  return {
    keyId: key.keyId,
    agents: key.pattern,
    role: key.role,
    state: key.revokedAtMs !== 0 ? "revoked" : isExpired ? "expired" : "valid",
    label: key.label,
    createdAt: new Date(key.createdAtMs),
    expiresAt: key.expiresAtMs === 0 ? undefined : new Date(key.expiresAtMs),
    revokedAt: key.revokedAtMs === 0 ? undefined : new Date(key.revokedAtMs),
  };
}
