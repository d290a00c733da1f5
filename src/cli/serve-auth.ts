import type { TokenAlgorithm } from "../auth/token.js";
import type { HubOptions } from "../server/hub.js";
import { UsageError } from "./exit.js";
import { flagOf, type SettingName, type Settings } from "./settings.js";

/** What a hub is told about credentials. */
export type AuthOptions = Pick<HubOptions, "auth" | "tokens">;

type AuthSettings = Settings<"auth" | "jwks" | "jwtIssuer" | "jwtAudience" | "jwtAlgorithms">;

/**
 * What the settings of `serve` mean for credentials.
 * @throws UsageError where something is set that would count for nothing, or is not enough
 */
export async function authOptions(settings: AuthSettings): Promise<AuthOptions> {
  const { auth, jwks, jwtIssuer: issuer, jwtAudience: audience, jwtAlgorithms } = settings;
  const mode = auth === undefined ? {} : { auth };
  const needed = ["jwks", "jwtIssuer", "jwtAudience"] as const;
  const all = [...needed, "jwtAlgorithms"] as const;
  const given = all.filter((name) => settings[name] !== undefined);
  if (given.length === 0) return mode;
  if (jwks === undefined || issuer === undefined || audience === undefined) {
    const missing = needed.filter((name) => settings[name] === undefined);
    const flags = (names: readonly SettingName[]) => names.map(flagOf).join(" and ");
    throw new UsageError(`${flags(given)} count for nothing without ${flags(missing)}.`);
  }
  if (auth === "open") {
    throw new UsageError("--auth open asks nobody for a token: leave it out, or the --jwks.");
  }
  if (jwtAlgorithms === undefined) return { ...mode, tokens: { jwks, issuer, audience } };
  return {
    ...mode,
    tokens: { jwks, issuer, audience, algorithms: await algorithmsOf(jwtAlgorithms) },
  };
}

async function algorithmsOf(names: string): Promise<TokenAlgorithm[]> {
  // Loaded here, for most hubs take no tokens, and other commands none at all.
  const { TOKEN_ALGORITHMS } = await import("../auth/token.js");
  return names.split(",").map((name) => {
    const known = TOKEN_ALGORITHMS.find((one) => one === name.trim());
    if (known !== undefined) return known;
    throw new UsageError(`--jwt-algorithms are some of ${TOKEN_ALGORITHMS.join(",")}.`);
  });
}
