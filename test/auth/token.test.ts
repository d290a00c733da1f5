import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JSONWebKeySet } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTokenVerifier, type TokenSettings } from "../../src/auth/token.js";
import { AUDIENCE, ISSUER, type Issuer, newIssuer, nowS } from "./issuer.js";

const folder = mkdtempSync(join(tmpdir(), "claw-chat-token-"));
const file = join(folder, "jwks.json");
const settings: TokenSettings = { jwks: file, issuer: ISSUER, audience: AUDIENCE };
let issuer: Issuer;
let stranger: Issuer;
beforeAll(async () => {
  [issuer, stranger] = await Promise.all([newIssuer(), newIssuer()]);
  write(issuer.jwks);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (jwks: unknown) => writeFileSync(file, JSON.stringify(jwks));
const verifier = (set: Partial<TokenSettings> = {}) => {
  const problems: string[] = [];
  const problem = (error: Error) => void problems.push(error.message);
  return { ...createTokenVerifier({ ...settings, ...set }, { problem }), problems };
};
const bare = (header: object, payload: object, sign: (text: string) => string = () => "") => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${sign(text)}`;
};
const GOOD_CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: "alice", exp: nowS() + 3600 };

test("I1: a good token names its subject, its role and its end", async () => {
  const { verify } = verifier();
  const exp = nowS() + 60;
  expect(await verify(await issuer.sign({ agentId: "alice", expires: exp }))).toEqual({
    claims: { agentId: "alice", role: "agent", expiresAtMs: exp * 1000 },
  });
  const forSeveral = { aud: ["mail", "claw-chat"] };
  expect(await verify(await issuer.sign({ agentId: "alice", claims: forSeveral }))).toMatchObject({
    claims: { agentId: "alice" },
  });
  const admin = await issuer.sign({ agentId: "root", claims: { claw_role: "admin" } });
  expect(await verify(admin)).toMatchObject({ claims: { agentId: "root", role: "admin" } });
});

const refused: [string, () => string | Promise<string>, string][] = [
  ["no token", () => "x", "BAD_CREDENTIALS"],
  ["without a signature", () => bare({ alg: "none" }, GOOD_CLAIMS), "BAD_CREDENTIALS"],
  [
    "signed with the public key as a secret",
    () =>
      bare({ alg: "HS256", kid: "k1" }, GOOD_CLAIMS, (text) =>
        createHmac("sha256", JSON.stringify(issuer.jwks.keys[0])).update(text).digest("base64url"),
      ),
    "BAD_CREDENTIALS",
  ],
  ["of another signer", () => stranger.sign({ agentId: "alice" }), "BAD_CREDENTIALS"],
  [
    "of another signer, expired",
    () => stranger.sign({ agentId: "alice", expires: 1 }),
    "BAD_CREDENTIALS",
  ],
  [
    "of another issuer",
    () => issuer.sign({ agentId: "alice", issuer: "https://x.example" }),
    "BAD_CREDENTIALS",
  ],
  [
    "for another audience",
    () => issuer.sign({ agentId: "alice", audience: "mail" }),
    "BAD_CREDENTIALS",
  ],
  [
    "for several others",
    () => issuer.sign({ agentId: "alice", claims: { aud: ["mail", "claw-chat/x"] } }),
    "BAD_CREDENTIALS",
  ],
  [
    "whose end is no number",
    () => issuer.sign({ agentId: "alice", expires: undefined, claims: { exp: "9999999999" } }),
    "BAD_CREDENTIALS",
  ],
  [
    "without an end",
    () => issuer.sign({ agentId: "alice", expires: undefined }),
    "BAD_CREDENTIALS",
  ],
  ["without a subject", () => issuer.sign({}), "BAD_CREDENTIALS"],
  ["whose subject is no id", () => issuer.sign({ agentId: "auth0|1" }), "BAD_CREDENTIALS"],
  [
    "with an unknown role",
    () => issuer.sign({ agentId: "alice", claims: { claw_role: "reader" } }),
    "BAD_CREDENTIALS",
  ],
  [
    "not valid yet",
    () => issuer.sign({ agentId: "alice", claims: { nbf: nowS() + 60 } }),
    "BAD_CREDENTIALS",
  ],
  ["expired", () => issuer.sign({ agentId: "alice", expires: nowS() - 10 }), "CREDENTIALS_EXPIRED"],
];
test.each(refused)("I1: a token is refused that is %s", async (_what, token, reason) => {
  expect(await verifier().verify(await token())).toMatchObject({ refusal: { reason } });
});

test("I1: the issuer's clock may be ahead by five seconds, and an end is an end", async () => {
  const early = await issuer.sign({ agentId: "alice", claims: { nbf: nowS() + 3 } });
  expect(await verifier().verify(early)).toHaveProperty("claims");
  const over = await issuer.sign({ agentId: "alice", expires: nowS() - 1 });
  expect(await verifier().verify(over)).toMatchObject({
    refusal: { reason: "CREDENTIALS_EXPIRED" },
  });
});

test("I1: an algorithm that the hub was not told is none, whatever the key set says", async () => {
  const token = await issuer.sign({ agentId: "alice" });
  const { verify } = verifier({ algorithms: ["EdDSA"] });
  expect(await verify(token)).toMatchObject({ refusal: { reason: "BAD_CREDENTIALS" } });
});

test("I1: a key set file is read again when it changes; a broken one changes nothing", async () => {
  const { verify, problems } = verifier();
  const mine = await issuer.sign({ agentId: "alice" });
  const next = await newIssuer("k2", "EdDSA");
  const theirs = await next.sign({ agentId: "bob" });
  expect(await verify(theirs)).toHaveProperty("refusal");
  write({ keys: [...issuer.jwks.keys, ...next.jwks.keys] });
  expect(await verify(theirs)).toHaveProperty("claims");
  write(next.jwks);
  expect(await verify(mine)).toHaveProperty("refusal");
  writeFileSync(file, "{");
  expect(await verify(theirs)).toHaveProperty("claims");
  expect(problems).toEqual([expect.stringContaining(file)]);
  write(issuer.jwks);
  expect(await verify(mine)).toHaveProperty("claims");
});

test("I1: keys come from an address; while it does not answer, tokens are put off", async () => {
  let answer: JSONWebKeySet | undefined;
  const server = createServer((_request, response) => {
    response.statusCode = answer === undefined ? 503 : 200;
    response.end(JSON.stringify(answer));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const { verify, problems } = verifier({ jwks: `http://127.0.0.1:${port}/jwks.json` });
  const token = await issuer.sign({ agentId: "alice" });
  expect(await verify(token)).toMatchObject({ refusal: { reason: "KEY_SET_UNAVAILABLE" } });
  expect(problems).toHaveLength(1);
  answer = issuer.jwks;
  expect(await verify(token)).toHaveProperty("claims");
  const other = await stranger.sign({ agentId: "alice" });
  expect(await verify(other)).toMatchObject({ refusal: { reason: "BAD_CREDENTIALS" } });
  server.close();
});

test("I2: a hub is not told half of what it needs", () => {
  const make = (set: object) => () => verifier(set);
  expect(make({ jwks: join(folder, "none.json") })).toThrow(/none\.json/);
  expect(make({ jwks: "http://issuer.example/jwks.json" })).toThrow(/https:/);
  expect(make({ jwks: "ftp://issuer.example/jwks.json" })).toThrow(/https:/);
  for (const algorithms of [["none"], ["HS256"], []]) {
    expect(make({ algorithms })).toThrow(RangeError);
  }
});
