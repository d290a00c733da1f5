import fc from "fast-check";
import { expect, test } from "vitest";
import { hashSecret, isKeyId, isSameHash, newApiKey, parseApiKey } from "../../src/auth/api-key.js";

test("a new key is found again by its own text, and only a hash of its secret is kept", () => {
  const made = newApiKey();
  const parsed = parseApiKey(made.text);
  expect(made.text).toMatch(/^claw_[0-9a-f]{16}_[0-9a-f]{64}$/);
  expect(parsed?.keyId).toBe(made.keyId);
  expect(isSameHash(hashSecret(parsed?.secret ?? ""), made.secretHash)).toBe(true);
  expect(Buffer.from(made.secretHash).toString("hex")).not.toBe(parsed?.secret);
  expect(newApiKey().text).not.toBe(made.text);
});

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: digits, maxLength: digits })
    .map((chars) => chars.join(""));

test("what is parsed is what was written", () => {
  fc.assert(
    fc.property(hex(16), hex(64), (keyId, secret) => {
      expect(parseApiKey(`claw_${keyId}_${secret}`)).toEqual({ keyId, secret });
    }),
  );
});

test("a text that is no key is none, whatever it is", () => {
  const { text } = newApiKey();
  const damaged = fc
    .tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string()), (other) => {
      const parsed = parseApiKey(other);
      // Where the damage makes another key, that is what it is.
      if (/^claw_[0-9a-f]{16}_[0-9a-f]{64}$/.test(other) && !other.includes("\n")) {
        expect(`claw_${parsed?.keyId}_${parsed?.secret}`).toBe(other);
      } else {
        expect(parsed).toBeUndefined();
      }
    }),
    { numRuns: 2_000 },
  );
  for (const odd of [`${text}\n`, ` ${text}`, text.toUpperCase(), text.slice(5)]) {
    expect(parseApiKey(odd)).toBeUndefined();
  }
  expect(isKeyId(text)).toBe(false);
});
