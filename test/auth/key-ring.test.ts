import { expect, test } from "vitest";
import { openKeyRing } from "../../src/auth/key-ring.js";
import type { KeyRecord } from "../../src/hub/credentials.js";
import { StorageError, type Store } from "../../src/hub/store.js";
import { makeKey } from "./credentials.js";

/** A store of which only keys are read, and which takes as long as it is told. */
function storeOf(keys: KeyRecord[]) {
  const state = { keys, changed: false, reads: 0, fails: false, gate: Promise.resolve() };
  const store = {
    async transaction() {
      state.reads += 1;
      const seen = [...state.keys];
      await state.gate;
      if (state.fails) throw new StorageError("not now");
      return seen;
    },
    changedElsewhere() {
      const { changed } = state;
      state.changed = false;
      return changed;
    },
  } as unknown as Store;
  return { state, store };
}

test("keys are read once, and again when another process has written", async () => {
  const [first, second] = [makeKey("a").record, makeKey("b").record];
  const { state, store } = storeOf([first]);
  const ring = await openKeyRing(store);
  let read = 0;
  ring.onRead(() => (read += 1));
  await ring.current();
  expect([...(await ring.current()).keys()]).toEqual([first.keyId]);
  expect(state.reads).toBe(1);
  Object.assign(state, { keys: [first, second], changed: true });
  expect([...(await ring.current()).keys()]).toEqual([first.keyId, second.keyId]);
  expect([...ring.known().keys()]).toEqual([first.keyId, second.keyId]);
  expect([state.reads, read]).toEqual([2, 1]);
});

test("a login during the reading waits for it; a change during it is read too", async () => {
  const [first, second] = [makeKey("a").record, makeKey("b").record];
  const { state, store } = storeOf([]);
  const ring = await openKeyRing(store);
  let open = () => {};
  Object.assign(state, { keys: [first], changed: true });
  state.gate = new Promise<void>((resolve) => (open = resolve));
  const one = ring.current();
  const other = ring.current();
  Object.assign(state, { keys: [first, second], changed: true });
  const newest = ring.current();
  open();
  expect((await one).size).toBeGreaterThan(0);
  expect((await other).size).toBeGreaterThan(0);
  expect((await newest).size).toBe(2);
  expect(ring.known().size).toBe(2);
  expect(state.reads).toBe(3);
});

test("a reading that failed is tried again by the next one, though nothing more has changed", async () => {
  const { state, store } = storeOf([]);
  const ring = await openKeyRing(store);
  Object.assign(state, { keys: [makeKey("a").record], changed: true, fails: true });
  await expect(ring.current()).rejects.toThrow(StorageError);
  await expect(ring.current()).rejects.toThrow(StorageError);
  state.fails = false;
  expect((await ring.current()).size).toBe(1);
});
