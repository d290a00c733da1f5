import type { KeyRecord } from "../hub/credentials.js";
import { StorageError } from "../hub/store.js";
import { isWildcard, matchesPattern } from "../protocol/pattern.js";
import {
  GRPC_STATUS,
  type Refusal,
  type RefusalReason,
  refusalKind,
  refuse,
} from "../protocol/refusals.js";
import { hashSecret, isSameHash, KEY_PREFIX, NO_KEYS_HASH, parseApiKey } from "./api-key.js";
import { agentsOfCertificate } from "./certificate.js";
import { type Claim, type Named, nameAgent } from "./claimed-agent.js";
import type { FailedLogins } from "./failed-logins.js";
import type { KeyRing } from "./key-ring.js";
import type { Principal } from "./principal.js";
import type { TokenVerifier } from "./token.js";

/** What a call brings along to say who it comes from. */
export interface Login {
  /** The values of the call metadata `authorization`. */
  authorization: readonly string[];
  /** The values of the call metadata `claw-agent-id`. */
  agentIds: readonly string[];
  /** URI and DNS names of the client certificate, where there is one and it was verified. */
  certificateNames: readonly string[];
  /** When that certificate ends. */
  certificateExpiresAtMs?: number | undefined;
  /** The IP address it comes from. */
  address: string;
}

/** Finds out who calls. */
export interface Authenticator {
  /**
   * A call with `authorization` is judged by that alone, another one by its certificate.
   * Never rejects: what goes wrong is a refusal.
   */
  authenticate(login: Login): Promise<{ principal: Principal } | RefusedLogin>;
}

/** A login that did not succeed. */
export interface RefusedLogin {
  /** What the caller is told. */
  refusal: Refusal;
  /** Why, for the audit log; undefined where it is the hub that failed. */
  failure?: RefusalReason;
  /** The id of the key it was about, whether or not there is one; undefined for anything else. */
  keyId?: string | undefined;
}

const MISSING = refuse(
  "MISSING_CREDENTIALS",
  "this hub asks for credentials: send `authorization: Bearer` with an API key or a token, or use a client certificate",
);
const MALFORMED = refuse(
  "BAD_CREDENTIALS",
  "authorization is `Bearer` and one API key, claw_ with 16 and 64 hex digits, or one token",
);
const BAD_KEY = refuse("BAD_CREDENTIALS", "there is no such API key");
const NO_TOKENS = refuse("BAD_CREDENTIALS", "this hub takes no tokens: send an API key");
const REVOKED = refuse("CREDENTIALS_REVOKED", "this API key was revoked; ask for another one");
const EXPIRED = refuse("CREDENTIALS_EXPIRED", "this API key has expired; ask for another one");
const CERTIFICATE_EXPIRED = refuse(
  "CREDENTIALS_EXPIRED",
  "the client certificate has expired; connect again with a new one",
);
const NAMELESS = refuse(
  "AGENT_NOT_ALLOWED",
  "no URI or DNS name in the subjectAltName of the client certificate is the id of an agent",
);
const FAULT = refuse("INTERNAL", "the hub has a fault; its log says more");
/** What is said where the keys cannot be read. */
export const NO_STORE = refuse("STORAGE_UNAVAILABLE", "the hub could not read its API keys");

/**
 * @param of.tokens undefined: tokens are not taken
 * @param of.failed undefined: failed logins are not counted
 * @param of.nowMs the wall clock
 * @param of.compare how two hashes are compared; for tests
 */
export function createAuthenticator(of: {
  keys: KeyRing;
  tokens?: TokenVerifier | undefined;
  failed?: FailedLogins | undefined;
  nowMs: () => number;
  /** Told why credentials could not be looked at. */
  problem: (error: unknown) => void;
  compare?: typeof isSameHash;
}): Authenticator {
  const { keys, tokens, nowMs, compare = isSameHash } = of;

  async function identify(login: Login): Promise<Named> {
    const { authorization, agentIds, certificateNames, certificateExpiresAtMs: endMs } = login;
    if (authorization.length > 0) return byBearer(authorization, agentIds);
    if (certificateNames.length === 0) return { refusal: MISSING };
    // It was good when the connection began, which may be long ago.
    if (endMs !== undefined && endMs <= nowMs()) return { refusal: CERTIFICATE_EXPIRED };
    const names = agentsOfCertificate(certificateNames);
    if (names.length === 0) return { refusal: NAMELESS };
    return nameAgent({
      claim: {
        kind: "certificate",
        allows: (id) => names.includes(id),
        only: single(names),
        ...(endMs !== undefined && { expiresAtMs: endMs }),
      },
      agentIds,
    });
  }

  async function byBearer(
    authorization: readonly string[],
    agentIds: readonly string[],
  ): Promise<Named> {
    const [value = "", another] = authorization;
    const bearer = /^Bearer +([!-~]+) *$/i.exec(value)?.[1];
    if (bearer === undefined || another !== undefined) return { refusal: MALFORMED };
    const found = bearer.startsWith(KEY_PREFIX) ? await byKey(bearer) : await byToken(bearer);
    return "refusal" in found ? found : nameAgent({ claim: found.claim, agentIds });
  }

  async function byKey(text: string): Promise<{ claim: Claim } | { refusal: Refusal }> {
    const key = parseApiKey(text);
    if (key === undefined) return { refusal: MALFORMED };
    const records = await keys.current();
    const record = records.get(key.keyId);
    // The same steps, whether or not there is such a key.
    const isRight = compare(hashSecret(key.secret), record?.secretHash ?? NO_KEYS_HASH);
    if (record === undefined || !isRight) return { refusal: BAD_KEY };
    const refusal = endOfKey(record, nowMs());
    return refusal === undefined ? { claim: claimOfKey(record) } : { refusal };
  }

  async function byToken(text: string): Promise<{ claim: Claim } | { refusal: Refusal }> {
    if (tokens === undefined) return { refusal: NO_TOKENS };
    const verified = await tokens.verify(text);
    if ("refusal" in verified) return verified;
    const { agentId, role, expiresAtMs } = verified.claims;
    const allows = (id: string) => id === agentId;
    return { claim: { kind: "token", id: agentId, role, expiresAtMs, allows, only: agentId } };
  }

  return {
    async authenticate(login) {
      const named = await identify(login).catch((error: unknown): Named => {
        of.problem(error);
        return { refusal: error instanceof StorageError ? NO_STORE : FAULT };
      });
      if (!("refusal" in named) || !isFailedLogin(named.refusal)) return named;
      const retryAfterMs = of.failed?.note(login.address);
      const refusal = retryAfterMs === undefined ? named.refusal : tooMany(retryAfterMs);
      return { refusal, failure: named.refusal.reason, keyId: keyIdIn(login) };
    },
  };
}

/** Why a key that was proved is good for nothing any more; undefined where it is good. */
export function endOfKey(record: KeyRecord, nowMs: number): Refusal | undefined {
  if (record.revokedAtMs !== 0) return REVOKED;
  return record.expiresAtMs !== 0 && record.expiresAtMs <= nowMs ? EXPIRED : undefined;
}

function claimOfKey({ keyId, pattern, role, expiresAtMs }: KeyRecord): Claim {
  return {
    kind: "key",
    id: keyId,
    role,
    allows: (id) => matchesPattern(pattern, id),
    only: isWildcard(pattern) ? undefined : pattern,
    ...(expiresAtMs !== 0 && { expiresAtMs }),
  };
}

function keyIdIn({ authorization: [value = ""] }: Login): string | undefined {
  return parseApiKey(value.split(" ").at(-1) ?? "")?.keyId;
}

function single(names: string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

/** Who could be guessing; a hub that cannot look is no fault of the caller's. */
function isFailedLogin({ reason }: Refusal): boolean {
  const { code } = refusalKind(reason);
  return code === GRPC_STATUS.UNAUTHENTICATED || code === GRPC_STATUS.PERMISSION_DENIED;
}

function tooMany(retryAfterMs: number): Refusal {
  const message =
    "these credentials are refused, and so were too many others from this address: wait";
  return refuse("TOO_MANY_FAILED_LOGINS", message, retryAfterMs);
}
