import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AUDIENCE, ISSUER, type Issuer, newIssuer, nowS } from "../auth/issuer.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, ANY_SERVICE, EMPTY_SERVICE } from "./chat.js";

let issuer: Issuer;
let server: Server;
let hub: TestHub;
/** Resolves with the hub's next question for the key set, which waits for an answer. */
let asked: Promise<ServerResponse>;

beforeEach(async () => {
  issuer = await newIssuer();
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  asked = promise;
  server = createServer((_request, response) => resolve(response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const jwks = `http://127.0.0.1:${port}/jwks.json`;
  hub = await startTestHub({ tokens: { jwks, issuer: ISSUER, audience: AUDIENCE } });
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
  server.closeAllConnections();
  server.close();
});

const answer = async () => (await asked).end(JSON.stringify(issuer.jwks));

test("I1: a token names its agent, once its key is known; until then nothing is read or lost", async () => {
  const token = await issuer.sign({ agentId: "alice" });
  const alice = openAgent(hub.address, "", "none", token);
  const answered = alice.ask({ $case: "chatMessage", value: { targetAgent: "bob", content: "x" } });
  alice.halfClose();
  const listed = call(hub.address, "alice", "listChannels", ANY_CHANNEL, token);
  await asked;
  expect(alice.responses).toEqual([]);
  await answer();
  expect((await answered).frame).toMatchObject({ value: { reason: "AGENT_NOT_FOUND" } });
  expect(alice.responses[0]?.frame).toMatchObject({ value: { agentId: "alice" } });
  expect(await alice.ended).toMatchObject({ code: 0 });
  expect(await listed).toHaveProperty("channels");
});

test("I1: a stream that is gone before its login is answered leaves no session behind", async () => {
  const token = await issuer.sign({ agentId: "alice" });
  const gone = openAgent(hub.address, "alice", "manual", token);
  await asked;
  await gone.cut();
  await answer();
  const service = { ...EMPTY_SERVICE, serviceId: "s" };
  await call(hub.address, "alice", "registerService", { service }, token);
  for (let online = true; online; ) {
    const { services } = await call(hub.address, "alice", "listServices", ANY_SERVICE, token);
    online = services[0]?.providerOnline ?? true;
  }
});

test("L2: a hub that stops while a login is under way begins no session", async () => {
  const token = await issuer.sign({ agentId: "alice" });
  const alice = openAgent(hub.address, "alice", "manual", token);
  await asked;
  const stopped = hub.halt();
  await answer();
  await stopped;
  expect(await alice.ended).toMatchObject({ code: 14 });
  expect(alice.responses).toEqual([]);
});

test("I1: KEY_SET_UNAVAILABLE while the key set cannot be had; a token is not called bad", async () => {
  (await Promise.all([asked, login()]))[0].end();

  async function login(): Promise<void> {
    const token = await issuer.sign({ agentId: "alice" });
    const alice = openAgent(hub.address, "alice", "none", token);
    void asked.then((response) => response.writeHead(503).end());
    const { code, metadata } = await alice.ended;
    expect(code).toBe(14);
    expect(metadata.get("claw-reason")).toEqual(["KEY_SET_UNAVAILABLE"]);
    expect(metadata.get("claw-retry-after-ms")).toEqual(["5000"]);
  }
});

test("I1: a session is told to renew its token before that expires", async () => {
  const expires = nowS() + 4;
  const token = await issuer.sign({ agentId: "alice", expires });
  const alice = openAgent(hub.address, "alice", "manual", token);
  await answer();
  const word = await alice.next("goAway");
  expect(word).toMatchObject({ reason: "CREDENTIALS_EXPIRED", reconnect: true });
  expect(Date.now()).toBeLessThan(expires * 1000);
  const fresh = await issuer.sign({ agentId: "alice" });
  await openAgent(hub.address, "alice", "manual", fresh).next("sessionStarted");
});
