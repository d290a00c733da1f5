import type { Role } from "../hub/credentials.js";

/** What an agent has shown; `open` where the hub asks for nothing. */
export type CredentialKind = "open" | "key" | "certificate" | "token";

/** Who a call comes from, and what says so (I1). */
export interface Principal {
  agentId: string;
  role: Role;
  credential: {
    kind: CredentialKind;
    /** The key id, the certificate's name or the token's subject: nothing secret. */
    id: string;
  };
  /** When the credential expires; undefined where it does not. */
  expiresAtMs?: number | undefined;
}
