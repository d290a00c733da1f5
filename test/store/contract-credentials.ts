import { expect, test } from "vitest";
import type { AuditEvent, AuditKind } from "../../src/hub/audit.js";
import type { KeyRecord } from "../../src/hub/credentials.js";
import { StorageError, type Store } from "../../src/hub/store.js";

function aKey(keyId: string, set: Partial<KeyRecord> = {}): KeyRecord {
  return {
    keyId,
    pattern: "ada",
    role: "agent",
    secretHash: new Uint8Array(32).fill(7),
    label: "",
    createdAtMs: 1_795_000_000_000,
    expiresAtMs: 0,
    revokedAtMs: 0,
    ...set,
  };
}

/** A key with its hash as numbers, so that every kind of byte array compares. */
const plain = (key: KeyRecord) => ({ ...key, secretHash: [...key.secretHash] });

export function credentialContract(store: () => Store): void {
  test("keys are kept with all their fields, in the order of their making, and changed", async () => {
    const first = aKey("k1", { pattern: "weather-*", role: "admin", label: "a, b" });
    const second = aKey("k0", { expiresAtMs: 1_800_000_000_000 });
    await store().transaction(async (tx) => {
      await tx.putKey(first);
      await tx.putKey(second);
    });
    const keys = () => store().transaction(async (tx) => (await tx.keys()).map(plain));
    expect(await keys()).toEqual([plain(first), plain(second)]);
    const revoked = { ...first, revokedAtMs: 1_796_000_000_000 };
    await store().transaction((tx) => tx.putKey(revoked));
    expect(await keys()).toEqual([plain(revoked), plain(second)]);
  });

  test("I3: an agent is known once it was named", async () => {
    await store().transaction(async (tx) => {
      expect(await tx.knowsAgent("ada")).toBe(false);
      await tx.nameAgent("ada");
      await tx.nameAgent("ada");
      expect(await tx.knowsAgent("ada")).toBe(true);
      expect(await tx.knowsAgent("Ada")).toBe(false);
    });
  });

  test("a transaction that only reads refuses to store keys, names and audit lines", async () => {
    const full = new StorageError("no room", { kind: "full" });
    const ends = await store().transaction(
      (tx) =>
        Promise.allSettled([tx.putKey(aKey("k")), tx.nameAgent("ada"), tx.audit([anEvent()])]),
      full,
    );
    expect(ends).toEqual(ends.map(() => ({ status: "rejected", reason: full })));
  });

  test("nobody else has written to a database that is this store's alone", async () => {
    store().changedElsewhere();
    await store().transaction((tx) => tx.nameAgent("ada"));
    expect(store().changedElsewhere()).toBe(false);
  });
}

function anEvent(set: Partial<AuditEvent> = {}): AuditEvent {
  return {
    atMs: 1_795_000_000_000,
    event: "login_refused",
    actor: "ada",
    agentId: "bob",
    channelId: "c1",
    address: "192.0.2.1",
    detail: "BAD_CREDENTIALS",
    ...set,
  };
}

export function auditContract(store: () => Store): void {
  test("lines are read back as they were written, the newest first, page by page", async () => {
    const events = [1, 2, 3].map((count) => anEvent({ detail: String(count) }));
    await store().transaction((tx) => tx.audit(events));
    await store().transaction(async (tx) => {
      const [third, second, ...more] = await tx.auditLog({ limit: 2 });
      expect([third, second, ...more]).toEqual([
        { ...events[2], id: third?.id },
        { ...events[1], id: second?.id },
      ]);
      const rest = await tx.auditLog({ beforeId: second?.id, limit: 9 });
      expect(rest.map(({ detail }) => detail)).toEqual(["1"]);
    });
  });

  test("lines are found by kind and by time", async () => {
    const kinds: AuditKind[] = ["key_created", "admin_read", "key_created"];
    await store().transaction((tx) =>
      tx.audit(kinds.map((event, index) => anEvent({ event, atMs: 1000 + index }))),
    );
    await store().transaction(async (tx) => {
      const times = async (range: { event?: AuditKind; sinceMs?: number }) =>
        (await tx.auditLog({ ...range, limit: 9 })).map(({ atMs }) => atMs);
      expect(await times({ event: "key_created" })).toEqual([1002, 1000]);
      expect(await times({ sinceMs: 1001 })).toEqual([1002, 1001]);
    });
  });
}
