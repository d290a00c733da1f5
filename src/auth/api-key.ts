import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What every API key begins with; a token never does. */
export const KEY_PREFIX = "claw_";

const KEY_ID = /^[0-9a-f]{16}$/;
const KEY = /^claw_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** A key as its holder sends it, taken apart. */
export interface ApiKey {
  /** The public half. */
  keyId: string;
  /** The secret half, 64 hex digits. */
  secret: string;
}

/** A key that was just made: its text is shown once and never stored. */
export interface NewApiKey {
  keyId: string;
  /** The whole key, `claw_<key id>_<secret>`. */
  text: string;
  /** What is stored of its secret. */
  secretHash: Uint8Array;
}

/** Makes a key: 64 random bits by which it is found, and 256 that nobody guesses. */
export function newApiKey(): NewApiKey {
  const keyId = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("hex");
  return { keyId, text: `${KEY_PREFIX}${keyId}_${secret}`, secretHash: hashSecret(secret) };
}

/** Takes a key apart; undefined where the text is none. */
export function parseApiKey(text: string): ApiKey | undefined {
  const [, keyId, secret] = KEY.exec(text) ?? [];
  return keyId === undefined || secret === undefined ? undefined : { keyId, secret };
}

/** Whether a text is the public half of a key. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/**
 * SHA-256 of a secret. A slow hash would protect guessable words; these are 256 random bits.
 * @param secret 64 hex digits
 */
export function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret, "hex").digest();
}

/** Compares two hashes in a time that says nothing about where they differ. */
export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Compared with where there is no such key: an unknown key id then costs what a known one costs. */
export const NO_KEYS_HASH: Uint8Array = randomBytes(32);
