import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Role } from "../hub/credentials.js";
import { isValidId } from "../protocol/ids.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { type KeySet, KeySetError, openKeySet } from "./key-set.js";

/** Signatures that are made with a private key. Those made with a shared secret are none of them. */
export const TOKEN_ALGORITHMS = [
  ...["EdDSA", "Ed25519", "ES256", "ES384", "ES512"],
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

const DEFAULT_TOKEN_ALGORITHMS: readonly TokenAlgorithm[] = ["EdDSA", "ES256", "RS256"];

/** Which JSON web tokens a hub takes. */
export interface TokenSettings {
  /** A JSON web key set: a file, read again when it changes, or an https:// address. */
  jwks: string;
  /** What `iss` must be. */
  issuer: string;
  /** What `aud` must be, or hold. */
  audience: string;
  /** Default EdDSA, ES256 and RS256. What a token itself says counts for nothing. */
  algorithms?: readonly TokenAlgorithm[];
}

/** What a good token says. */
export interface TokenClaims {
  agentId: string;
  role: Role;
  expiresAtMs: number;
}

/** Verifies tokens. */
export interface TokenVerifier {
  verify(token: string): Promise<{ claims: TokenClaims } | { refusal: Refusal }>;
}

/** How far the clock of the issuer may be ahead, in seconds. */
const CLOCK_TOLERANCE_S = 5;

const BAD_TOKEN = refuse(
  "BAD_CREDENTIALS",
  "the token cannot be verified: it needs a known signature, and the issuer and audience of this hub",
);
const EXPIRED_TOKEN = refuse("CREDENTIALS_EXPIRED", "the token has expired; send a new one");
const NO_KEY_SET = refuse(
  "KEY_SET_UNAVAILABLE",
  "the hub cannot read the keys that tokens are verified with; its log says more",
);

/**
 * @param of.problem told why the key set cannot be read
 * @throws KeySetError where a file cannot be read, or an address is none that may be used
 * @throws RangeError where an algorithm is none of TOKEN_ALGORITHMS
 */
export function createTokenVerifier(
  settings: TokenSettings,
  of: { problem: (error: Error) => void },
): TokenVerifier {
  const algorithms = [...(settings.algorithms ?? DEFAULT_TOKEN_ALGORITHMS)];
  const unknown = algorithms.find((name) => !TOKEN_ALGORITHMS.includes(name));
  if (unknown !== undefined || algorithms.length === 0) {
    throw new RangeError(
      `tokens cannot be signed with ${JSON.stringify(unknown ?? "nothing")} here; ` +
        `use some of ${TOKEN_ALGORITHMS.join(", ")}`,
    );
  }
  const keySet: KeySet = openKeySet(settings.jwks, of.problem);
  const { issuer, audience } = settings;

  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keySet, {
          algorithms,
          issuer,
          audience,
          requiredClaims: ["exp", "sub"],
          clockTolerance: CLOCK_TOLERANCE_S,
        });
        // Also within the tolerance: the session it opened would be ended at once.
        if ((payload.exp ?? 0) * 1000 <= Date.now()) return { refusal: EXPIRED_TOKEN };
        return claimsOf(payload);
      } catch (error) {
        // Claims are looked at once the signature is known to be good.
        if (error instanceof errors.JWTExpired) return { refusal: EXPIRED_TOKEN };
        if (!(error instanceof KeySetError)) return { refusal: BAD_TOKEN };
        of.problem(error);
        return { refusal: NO_KEY_SET };
      }
    },
  };
}

function claimsOf(payload: JWTPayload): { claims: TokenClaims } | { refusal: Refusal } {
  const { sub, exp = 0, claw_role: role = "agent" } = payload;
  // Whatever its type says, an issuer may have put anything there.
  if (typeof sub !== "string" || !isValidId(sub)) {
    return { refusal: refuse("BAD_CREDENTIALS", "the token's sub is not the id of an agent") };
  }
  // A word that this hub does not know may mean less than an agent has.
  if (role !== "agent" && role !== "admin") {
    return { refusal: refuse("BAD_CREDENTIALS", "the token's claw_role is agent or admin") };
  }
  return { claims: { agentId: sub, role, expiresAtMs: exp * 1000 } };
}
