import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "claw-chat";

/** Somebody who signs tokens. */
export interface Issuer {
  /** The public halves of its keys. */
  jwks: JSONWebKeySet;
  /** A token that is good for the agent, except for what is set otherwise. */
  sign(of: {
    agentId?: string;
    issuer?: string;
    audience?: string;
    /** Seconds since the epoch; undefined: there is none. Default in an hour. */
    expires?: number | undefined;
    claims?: Record<string, unknown>;
  }): Promise<string>;
}

/** Makes an issuer with a new key. */
export async function newIssuer(kid = "k1", algorithm = "ES256"): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: algorithm }] };
  return {
    jwks,
    sign(of) {
      const { issuer = ISSUER, audience = AUDIENCE } = of;
      const expires = "expires" in of ? of.expires : nowS() + 3600;
      const token = new SignJWT({ iss: issuer, aud: audience, ...of.claims });
      token.setProtectedHeader({ alg: algorithm, kid });
      if (of.agentId !== undefined) token.setSubject(of.agentId);
      if (expires !== undefined) token.setExpirationTime(expires);
      return token.sign(privateKey);
    },
  };
}

/** Now, in whole seconds since the epoch, as tokens count. */
export function nowS(): number {
  return Math.floor(Date.now() / 1000);
}
