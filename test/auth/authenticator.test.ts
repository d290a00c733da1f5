import { expect, test } from "vitest";
import { isSameHash } from "../../src/auth/api-key.js";
import { createAuthenticator, type Login } from "../../src/auth/authenticator.js";
import { countFailedLogins } from "../../src/auth/failed-logins.js";
import type { KeyRing } from "../../src/auth/key-ring.js";
import type { TokenVerifier } from "../../src/auth/token.js";
import { StorageError } from "../../src/hub/store.js";
import { refuse } from "../../src/protocol/refusals.js";
import { makeKey, ringOf } from "./credentials.js";

const NOW_MS = 1_795_000_000_000;
const keys = {
  alice: makeKey("alice"),
  weather: makeKey("weather-*"),
  admin: makeKey("root", { role: "admin", expiresAtMs: NOW_MS + 1 }),
  expired: makeKey("alice", { expiresAtMs: NOW_MS }),
  revoked: makeKey("alice", { revokedAtMs: 1 }),
  both: makeKey("alice", { revokedAtMs: 1, expiresAtMs: 1 }),
};
const tokens: TokenVerifier = {
  verify: async (token) =>
    token === "good.to.ken"
      ? { claims: { agentId: "bob", role: "admin", expiresAtMs: NOW_MS + 5 } }
      : { refusal: refuse("BAD_CREDENTIALS", "no") },
};
const subject = createAuthenticator({
  keys: ringOf(...Object.values(keys)),
  tokens,
  nowMs: () => NOW_MS,
  problem: () => {},
});

const bearer = (text: string) => ({ authorization: [`Bearer ${text}`] });
const login = (set: Partial<Login>): Login => ({
  authorization: [],
  agentIds: [],
  certificateNames: [],
  address: "192.0.2.1",
  ...set,
});
/** A key with the same id and another secret. */
const wrong = (text: string) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");

test.each<[string, Partial<Login>, string]>([
  ["nothing at all", {}, "MISSING_CREDENTIALS"],
  ["an agent id alone", { agentIds: ["alice"] }, "MISSING_CREDENTIALS"],
  ["no scheme", { authorization: [keys.alice.text] }, "BAD_CREDENTIALS"],
  ["another scheme", { authorization: ["Basic YTpi"] }, "BAD_CREDENTIALS"],
  ["an empty header", { authorization: [""] }, "BAD_CREDENTIALS"],
  ["two headers", { authorization: [`Bearer ${keys.alice.text}`, "x"] }, "BAD_CREDENTIALS"],
  ["half a key", bearer(keys.alice.text.slice(0, 30)), "BAD_CREDENTIALS"],
  ["an unknown key", bearer(makeKey("alice").text), "BAD_CREDENTIALS"],
  ["a wrong secret", bearer(wrong(keys.alice.text)), "BAD_CREDENTIALS"],
  ["a wrong secret of a revoked key", bearer(wrong(keys.revoked.text)), "BAD_CREDENTIALS"],
  ["a wrong secret of an expired key", bearer(wrong(keys.expired.text)), "BAD_CREDENTIALS"],
  ["an expired key", bearer(keys.expired.text), "CREDENTIALS_EXPIRED"],
  ["a revoked key", bearer(keys.revoked.text), "CREDENTIALS_REVOKED"],
  ["a key that is both", bearer(keys.both.text), "CREDENTIALS_REVOKED"],
  ["a bad token", bearer("x.y.z"), "BAD_CREDENTIALS"],
  ["another's name", { ...bearer(keys.alice.text), agentIds: ["bob"] }, "AGENT_NOT_ALLOWED"],
  ["two names", { ...bearer(keys.alice.text), agentIds: ["alice", "bob"] }, "INVALID_ID"],
  ["no name beside a pattern", bearer(keys.weather.text), "MISSING_AGENT_ID"],
  [
    "a name beside the pattern",
    { ...bearer(keys.weather.text), agentIds: ["alice"] },
    "AGENT_NOT_ALLOWED",
  ],
  [
    "the pattern as a name",
    { ...bearer(keys.weather.text), agentIds: ["weather-*"] },
    "INVALID_ID",
  ],
  ["a certificate without names", { certificateNames: ["*.x.org", "a b"] }, "AGENT_NOT_ALLOWED"],
  [
    "a certificate of another",
    { certificateNames: ["spiffe://x.org/a"], agentIds: ["alice"] },
    "AGENT_NOT_ALLOWED",
  ],
  [
    "a certificate that has expired since its connection began",
    { certificateNames: ["alice"], certificateExpiresAtMs: NOW_MS },
    "CREDENTIALS_EXPIRED",
  ],
  ["a certificate of several", { certificateNames: ["a", "b"] }, "MISSING_AGENT_ID"],
  [
    "a bad key beside a good certificate",
    { ...bearer(wrong(keys.alice.text)), certificateNames: ["alice"] },
    "BAD_CREDENTIALS",
  ],
  [
    "an empty header beside a good certificate",
    { authorization: [""], certificateNames: ["alice"] },
    "BAD_CREDENTIALS",
  ],
])("I1: %s is refused", async (_what, set, reason) => {
  expect(await subject.authenticate(login(set))).toMatchObject({ refusal: { reason } });
});

test.each<[string, Partial<Login>, object]>([
  [
    "a key for one agent",
    bearer(keys.alice.text),
    { agentId: "alice", role: "agent", credential: { kind: "key", id: keys.alice.record.keyId } },
  ],
  [
    "the same, and its name",
    { authorization: [`bearer  ${keys.alice.text}`], agentIds: ["alice"] },
    { agentId: "alice" },
  ],
  [
    "a key for a pattern",
    { ...bearer(keys.weather.text), agentIds: ["weather-1"] },
    { agentId: "weather-1", expiresAtMs: undefined },
  ],
  [
    "an admin's key",
    bearer(keys.admin.text),
    { agentId: "root", role: "admin", expiresAtMs: NOW_MS + 1 },
  ],
  [
    "a token",
    bearer("good.to.ken"),
    { agentId: "bob", role: "admin", credential: { kind: "token", id: "bob" } },
  ],
  [
    "a certificate",
    { certificateNames: ["*.x.org", "spiffe://x.org/a"] },
    {
      agentId: "spiffe://x.org/a",
      role: "agent",
      credential: { kind: "certificate", id: "spiffe://x.org/a" },
    },
  ],
  [
    "a certificate with its end",
    { certificateNames: ["alice"], certificateExpiresAtMs: NOW_MS + 1 },
    { agentId: "alice", expiresAtMs: NOW_MS + 1 },
  ],
  [
    "one name of a certificate",
    { certificateNames: ["a.x.org", "b.x.org"], agentIds: ["b.x.org"] },
    { agentId: "b.x.org" },
  ],
  [
    "a key beside a certificate of another",
    { ...bearer(keys.alice.text), certificateNames: ["bob"] },
    { agentId: "alice" },
  ],
])("I1: %s says who it is", async (_what, set, principal) => {
  expect(await subject.authenticate(login(set))).toMatchObject({ principal });
});

test("I2: an unknown key id takes the same steps as a wrong secret", async () => {
  let compared = 0;
  const counting = createAuthenticator({
    keys: ringOf(keys.alice, keys.revoked),
    nowMs: () => NOW_MS,
    problem: () => {},
    compare(one, other) {
      compared += 1;
      expect([one.length, other.length]).toEqual([32, 32]);
      return isSameHash(one, other);
    },
  });
  const answers: unknown[] = [];
  const secrets = [makeKey("alice").text, wrong(keys.alice.text), wrong(keys.revoked.text)];
  for (const text of secrets) {
    compared = 0;
    const answer = await counting.authenticate(login(bearer(text)));
    answers.push("refusal" in answer && answer.refusal);
    expect(compared).toBe(1);
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

test("I2: after ten failed logins of a minute a failing one waits, and a right one does not", async () => {
  let nowMs = 0;
  const failed = countFailedLogins({ maxPerMinute: 10, nowMs: () => nowMs });
  const strict = createAuthenticator({
    keys: ringOf(keys.alice),
    failed,
    nowMs: () => NOW_MS,
    problem: () => {},
  });
  const attempt = async (address: string, text: string) => {
    const answer = await strict.authenticate(login({ ...bearer(text), address }));
    return "refusal" in answer ? answer.refusal : undefined;
  };
  for (let count = 0; count < 10; count += 1) {
    expect(await attempt("192.0.2.1", "x")).toMatchObject({ reason: "BAD_CREDENTIALS" });
    nowMs += 1_000;
  }
  const refusal = await attempt("192.0.2.1", "x");
  expect(refusal).toMatchObject({ reason: "TOO_MANY_FAILED_LOGINS", retryAfterMs: 50_000 });
  expect(await attempt("192.0.2.1", keys.alice.text)).toBeUndefined();
  expect(await attempt("192.0.2.2", "x")).toMatchObject({ reason: "BAD_CREDENTIALS" });
  nowMs = 60_000;
  expect(await attempt("192.0.2.1", "x")).toMatchObject({ reason: "BAD_CREDENTIALS" });
});

test("I2: a hub that cannot look says so, and counts nothing", async () => {
  const told: unknown[] = [];
  const trouble = new StorageError("no");
  const blind: KeyRing = { ...ringOf(), current: () => Promise.reject(trouble) };
  const failed = countFailedLogins({ maxPerMinute: 1, nowMs: () => 0 });
  const subject = createAuthenticator({
    keys: blind,
    failed,
    nowMs: () => NOW_MS,
    problem: (error) => told.push(error),
  });
  for (let count = 0; count < 3; count += 1) {
    expect(await subject.authenticate(login(bearer(keys.alice.text)))).toMatchObject({
      refusal: { reason: "STORAGE_UNAVAILABLE" },
    });
  }
  expect(told).toEqual([trouble, trouble, trouble]);
});
