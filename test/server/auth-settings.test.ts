import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { AuthSettingsError, type HubOptions, ListenError, startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { makeKey } from "../auth/credentials.js";
import { AUDIENCE, ISSUER, newIssuer } from "../auth/issuer.js";
import { LOCALHOST, makeAuthority } from "../support/certificate.js";
import { endCli, testFolder } from "../support/cli.js";

const authority = makeAuthority();
const { certFile, keyFile } = authority.issue("hub", LOCALHOST);
afterAll(async () => {
  authority.remove();
  await endCli();
});

const jwks = join(testFolder(), "jwks.json");
const tls = { certFile, keyFile };
const withClients = { ...tls, clientCaFile: authority.caFile };
const tokens = { jwks, issuer: ISSUER, audience: AUDIENCE };

/** Starts a hub on a database with keys or without, and says what it asks for. */
async function started(set: Partial<HubOptions>, hasKey = false): Promise<string> {
  const store = await openSqliteStore({ path: ":memory:" });
  try {
    // A key that is good for nothing any more has still been one.
    const { record } = makeKey("alice", { revokedAtMs: 1 });
    if (hasKey) await store.transaction((tx) => tx.putKey(record));
    const hub = await startHub({ store, listen: "127.0.0.1:0", ...set });
    await hub.stop();
    return hub.auth;
  } finally {
    await store.close();
  }
}

test("I2: credentials are asked for where there are any, or where the settings say so", async () => {
  writeFileSync(jwks, JSON.stringify((await newIssuer()).jwks));
  expect(await started({})).toBe("open");
  expect(await started({ auth: "open" })).toBe("open");
  expect(await started({ auth: "required" })).toBe("required");
  expect(await started({}, true)).toBe("required");
  expect(await started({ tokens })).toBe("required");
  expect(await started({ tls: withClients })).toBe("required");
});

test("I2: a hub that shall be open does not start beside credentials", async () => {
  await expect(started({ auth: "open" }, true)).rejects.toThrow(AuthSettingsError);
  await expect(started({ auth: "open", tokens })).rejects.toThrow(/tokens/);
  await expect(started({ auth: "open", tls: withClients })).rejects.toThrow(/certificates/);
  expect(await started({ auth: "open", tls })).toBe("open");
});

test("I2: tokens that cannot be verified as told are no reason to start", async () => {
  const none = { ...tokens, jwks: join(testFolder(), "none.json") };
  await expect(started({ tokens: none })).rejects.toThrow(AuthSettingsError);
  const plain = { ...tokens, jwks: "http://issuer.example/jwks.json" };
  await expect(started({ tokens: plain })).rejects.toThrow(/https/);
});

test("I2: an address that others can reach needs both credentials and TLS, or --insecure", async () => {
  const listen = "0.0.0.0:0";
  await expect(started({ listen })).rejects.toThrow(ListenError);
  await expect(started({ listen, auth: "required" })).rejects.toThrow(/no TLS/);
  await expect(started({ listen, tls })).rejects.toThrow(/no credentials/);
  expect(await started({ listen, tls, auth: "required" })).toBe("required");
  expect(await started({ listen, insecure: true })).toBe("open");
});
