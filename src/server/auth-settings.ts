import type { Logger } from "pino";
import { createAuthenticator } from "../auth/authenticator.js";
import { countFailedLogins } from "../auth/failed-logins.js";
import { openKeyRing } from "../auth/key-ring.js";
import type { TokenSettings, TokenVerifier } from "../auth/token.js";
import type { Store } from "../hub/store.js";
import type { HubLimits } from "../protocol/limits.js";
import type { AuditNotes } from "./audit-notes.js";
import { watchCredentials } from "./credential-watch.js";
import { type ClientCertificates, credentialLogins, type Logins, openLogins } from "./logins.js";
import type { Turns } from "./turns.js";

/** Whether a hub asks for credentials. */
export type AuthMode = "open" | "required";

/** The credentials of a hub mean something else than they say; the message says what would be right. */
export class AuthSettingsError extends Error {
  override readonly name = "AuthSettingsError";
}

/** What a hub asks of its callers. */
export interface Auth {
  isRequired: boolean;
  /** Begins to look at calls. */
  logins(of: { turns: Turns; audit: AuditNotes; isStopping: () => boolean }): Logins;
}

/** The same trouble is said once in this time, however many logins meet it, in milliseconds. */
const SAY_AGAIN_MS = 60_000;

/**
 * Reads the keys of a store and decides whether credentials are asked for (I2).
 * @throws AuthSettingsError where the settings contradict each other, or the key set is none
 */
export async function openAuth(of: {
  store: Store;
  log: Logger;
  limits: HubLimits;
  auth?: AuthMode | undefined;
  tokens?: TokenSettings | undefined;
  /** Undefined: no client is asked for a certificate. */
  certificates?: ClientCertificates | undefined;
}): Promise<Auth> {
  const { store, limits, certificates } = of;
  const keys = await openKeyRing(store);
  const problem = sayNowAndThen(of.log);
  const tokens = of.tokens && (await verifierOf(of.tokens, problem));
  const reasons = [
    ...(keys.known().size > 0 ? ["the database has API keys"] : []),
    ...(tokens !== undefined ? ["it is told how to verify tokens"] : []),
    ...(certificates !== undefined ? ["it is told whose client certificates to trust"] : []),
  ];
  const mode = of.auth ?? (reasons.length > 0 ? "required" : "open");
  if (mode === "open") {
    if (reasons.length === 0) return { isRequired: false, logins: openLogins };
    throw new AuthSettingsError(
      `this hub shall ask nobody for credentials, but ${reasons.join(" and ")}: ` +
        "leave auth open out, or give it another database and no such settings",
    );
  }
  const nowMs = () => Date.now();
  const failed = countFailedLogins({
    maxPerMinute: limits.maxFailedLoginsPerMinute,
    nowMs: () => performance.now(),
  });
  return {
    isRequired: true,
    logins: (shared) =>
      credentialLogins({
        ...shared,
        authenticator: createAuthenticator({ keys, tokens, failed, nowMs, problem }),
        watch: watchCredentials({ keys, nowMs, problem }),
        certificates,
        problem,
      }),
  };
}

async function verifierOf(
  settings: TokenSettings,
  problem: (error: unknown) => void,
): Promise<TokenVerifier> {
  // Loaded here, for most hubs take no tokens.
  const [{ KeySetError }, { createTokenVerifier }] = await Promise.all([
    import("../auth/key-set.js"),
    import("../auth/token.js"),
  ]);
  try {
    return createTokenVerifier(settings, { problem });
  } catch (error) {
    if (!(error instanceof KeySetError || error instanceof RangeError)) throw error;
    throw new AuthSettingsError(error.message, { cause: error });
  }
}

/** Logs trouble with credentials, but not once for each login. */
function sayNowAndThen(log: Logger): (error: unknown) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - saidAtMs < SAY_AGAIN_MS) return;
    saidAtMs = performance.now();
    log.error({ err: error }, "credentials cannot be verified as they should");
  };
}
