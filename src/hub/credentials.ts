/** What the holder of a key may do: an admin also sees, and may end, what is not its own. */
export type Role = "agent" | "admin";

/** An API key as it is stored: enough to recognise it, not enough to use it. */
export interface KeyRecord {
  /** The public half of the key, by which it is found and spoken of. */
  keyId: string;
  /** The agents it stands for: an id, or a pattern such as `weather-*`. */
  pattern: string;
  role: Role;
  /** SHA-256 of the secret half. */
  secretHash: Uint8Array;
  /** Words for operators; may be empty. */
  label: string;
  createdAtMs: number;
  /** 0: it does not expire. */
  expiresAtMs: number;
  /** 0: it is not revoked. */
  revokedAtMs: number;
}

/** Who a command comes from, as its credentials say (I1). */
export interface Caller {
  agentId: string;
  role: Role;
  /** Where the call came from, for the audit log. */
  address: string;
}
