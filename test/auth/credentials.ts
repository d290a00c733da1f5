import { newApiKey } from "../../src/auth/api-key.js";
import type { KeyRing } from "../../src/auth/key-ring.js";
import type { KeyRecord } from "../../src/hub/credentials.js";

/** A key as its holder has it, and as it is stored. */
export interface TestKey {
  text: string;
  record: KeyRecord;
}

/** Makes a key. */
export function makeKey(pattern: string, set: Partial<KeyRecord> = {}): TestKey {
  const { keyId, text, secretHash } = newApiKey();
  const record: KeyRecord = {
    keyId,
    pattern,
    role: "agent",
    secretHash,
    label: "",
    createdAtMs: 1,
    expiresAtMs: 0,
    revokedAtMs: 0,
    ...set,
  };
  return { text, record };
}

/** Keys that no database holds. */
export function ringOf(...keys: TestKey[]): KeyRing {
  const records = new Map(keys.map(({ record }) => [record.keyId, record]));
  return { current: async () => records, known: () => records, onRead: () => {} };
}
