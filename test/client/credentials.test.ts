import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { ChatClient, type ConnectionEvent } from "../../src/client/index.js";
import { AUDIENCE, ISSUER, newIssuer, nowS } from "../auth/issuer.js";
import { LOCALHOST, makeAuthority } from "../support/certificate.js";
import { endCli, runCli, testFolder } from "../support/cli.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { connectAgent, disconnectAgents, newAgent, take } from "./agents.js";

let hub: TestHub | undefined;
afterEach(async () => {
  await disconnectAgents();
  await hub?.stop();
});
afterAll(endCli);

/** Reads events until one has this state. */
async function until<S extends ConnectionEvent["state"]>(
  events: AsyncIterator<ConnectionEvent, void>,
  state: S,
): Promise<Extract<ConnectionEvent, { state: S }>> {
  for (;;) {
    const event = await take(events);
    if (event.state === state) return event as Extract<ConnectionEvent, { state: S }>;
  }
}

async function tokenHub() {
  const issuer = await newIssuer();
  const jwks = join(testFolder(), "jwks.json");
  writeFileSync(jwks, JSON.stringify(issuer.jwks));
  hub = await startTestHub({ tokens: { jwks, issuer: ISSUER, audience: AUDIENCE } });
  return { issuer, hub };
}

test("I2: a client renews its token before it expires, and nothing is lost", async () => {
  const { issuer, hub } = await tokenHub();
  await connectAgent(hub.url, "bob", { apiKey: await issuer.sign({ agentId: "bob" }) });
  let given = 0;
  const apiKey = () => {
    given += 1;
    return issuer.sign({ agentId: "alice", expires: nowS() + 4 });
  };
  const alice = newAgent(hub.url, "alice", { apiKey });
  const events = alice.connection();
  await alice.connect();
  expect(given).toBe(1);
  await until(events, "connected");
  let sending = true;
  let sent = 0;
  const sender = (async () => {
    for (; sending; sent += 1) await alice.sendMessage({ targetAgent: "bob", content: "x" });
  })();
  expect(await until(events, "disconnected")).toMatchObject({
    reason: "CREDENTIALS_EXPIRED",
    retryInMs: 0,
  });
  await until(events, "connected");
  expect(given).toBe(2);
  sending = false;
  await sender;
  expect(hub.entryCount()).toBe(sent);
});

test("a function that gives no key is asked again, for sessions and for calls beside them", async () => {
  const { issuer, hub } = await tokenHub();
  let asked = 0;
  const apiKey = async () => {
    asked += 1;
    if (asked < 3) throw new Error("the vault is closed");
    return asked === 3 ? "not a key" : issuer.sign({ agentId: "alice" });
  };
  const alice = newAgent(hub.url, "alice", { apiKey });
  const impatient = alice.connect({ timeoutMs: 1 });
  await expect(impatient).rejects.toThrow("the vault is closed");
  await alice.connect();
  expect(asked).toBeGreaterThan(3);
  asked = 0;
  expect(await alice.registerService({ serviceId: "s" })).toMatchObject({ providerId: "alice" });
  expect(asked).toBe(4);
});

test("I2: a client whose key is revoked reports it, fails its calls and stays down", async () => {
  hub = await startTestHub({ auth: "required" });
  const db = ["--db", hub.dbPath, "--json"];
  const [made = {}] = (await runCli(["keys", "create", "alice", ...db])).json();
  const alice = newAgent(hub.url, "alice", { apiKey: String(made.key) });
  const events = alice.connection();
  const messages = alice.messages();
  await alice.connect();
  await runCli(["keys", "revoke", String(made.key_id), ...db]);
  const revoked = { code: 16, reason: "CREDENTIALS_REVOKED" };
  await expect(messages.next()).rejects.toMatchObject(revoked);
  expect(await until(events, "closed")).toMatchObject({ error: revoked });
  const send = alice.sendMessage({ targetAgent: "b", content: "x" });
  await expect(send).rejects.toMatchObject(revoked);
  await expect(alice.connect()).rejects.toMatchObject(revoked);
});

test("I1: a client certificate names the agent", async () => {
  const authority = makeAuthority();
  const server = authority.issue("server", LOCALHOST);
  const { cert, key } = authority.issue("client", [["DNS", "alice"]]);
  hub = await startTestHub({ tls: { ...server, clientCaFile: authority.caFile } });
  const url = hub.url.replace("grpc://127.0.0.1", "grpcs://localhost");
  const certificates = { rootCerts: authority.rootCerts, clientCert: cert, clientKey: key };
  const client = await connectAgent(url, "alice", certificates);
  expect(await client.registerService({ serviceId: "s" })).toMatchObject({ providerId: "alice" });
  const other = new ChatClient({ hubUrl: url, agentId: "b", ...certificates });
  await expect(other.connect()).rejects.toMatchObject({ reason: "AGENT_NOT_ALLOWED" });
});
