import { beforeEach, expect, test } from "vitest";
import type { EntryKind } from "../../src/hub/entry.js";
import { type EntryRange, StorageError, type Store } from "../../src/hub/store.js";
import { aChannel, anEntry, appendAll, plain, putAll, say } from "./sample.js";

/** The log: appending, and reading it by place, by key and by range. */
export function entryContract(store: () => Store): void {
  beforeEach(() => putAll(store(), aChannel("c1"), aChannel("c2")));

  test("M3: an entry comes back as it was stored, by its place and by its key", async () => {
    const entries = [
      anEntry("c1", 1, {
        kind: "chatRequest",
        author: "bob",
        key: "schlüssel 钥匙",
        addressedByChannel: true,
        // A view into a larger buffer: only what it shows may be stored.
        body: new Uint8Array([9, 0, 255, 7, 9]).subarray(1, 4),
      }),
      anEntry("c1", 2, { kind: "chatAccept", author: "", body: new Uint8Array() }),
    ];
    await appendAll(store(), entries);
    await store().transaction(async (tx) => {
      expect(plain(await tx.entry("c1", 1))).toEqual(plain(entries[0]));
      expect(plain(await tx.entry("c1", 2))).toEqual(plain(entries[1]));
      const found = await tx.entryByKey("bob", "chatRequest", "schlüssel 钥匙");
      expect(plain(found)).toEqual(plain(entries[0]));
      expect(await tx.entry("c1", 3)).toBeUndefined();
      expect(await tx.entry("c2", 1)).toBeUndefined();
    });
  });

  test("every kind of entry keeps its kind", async () => {
    const kinds: EntryKind[] = [
      "chatRequest",
      "chatAccept",
      "chatReject",
      "chatMessage",
      "chatEnd",
    ];
    await appendAll(
      store(),
      kinds.map((kind, index) => anEntry("c1", index + 1, { kind })),
    );
    const page = await read(store(), { limit: 9 });
    expect(page.entries.map((entry) => entry.kind)).toEqual(kinds);
  });

  test("M2: a key is stored once per author and kind, and a repeat is an error", async () => {
    await appendAll(store(), [
      anEntry("c1", 1, { author: "ada", key: "k" }),
      anEntry("c1", 2, { author: "bob", key: "k" }),
      anEntry("c1", 3, { author: "ada", key: "k", kind: "chatRequest" }),
    ]);
    const repeat = appendAll(store(), [anEntry("c2", 1, { author: "ada", key: "k" })]);
    const error: unknown = await repeat.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    // Not the database's trouble: sending it again would not help.
    expect(error).not.toBeInstanceOf(StorageError);
    await store().transaction(async (tx) => {
      expect(await tx.entryByKey("ada", "chatMessage", "k")).toMatchObject({ seq: 1 });
      expect(await tx.entryByKey("bob", "chatMessage", "k")).toMatchObject({ seq: 2 });
      expect(await tx.entryByKey("ada", "chatRequest", "k")).toMatchObject({ seq: 3 });
      expect(await tx.entry("c2", 1)).toBeUndefined();
    });
  });

  test("M2: a key of several messages that were stored at once is stored once as well", async () => {
    const keys = ["k1", "k2", "k4"];
    await appendAll(
      store(),
      keys.map((key, index) => anEntry("c1", index + 1, { key })),
    );
    for (const key of keys) {
      const error: unknown = await appendAll(store(), [anEntry("c2", 1, { key })]).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(StorageError);
    }
    const atOnce = ["k5", "k6", "k5"].map((key, index) => anEntry("c2", index + 1, { key }));
    await expect(appendAll(store(), atOnce)).rejects.toThrow();
    const repeated = ["k7", "k6", "k7", "k6"].map((key, index) =>
      anEntry("c2", index + 1, { key }),
    );
    await expect(appendAll(store(), repeated)).rejects.toThrow();
    await appendAll(store(), [anEntry("c2", 1, { key: "k3" })]);
  });

  test("M2: an empty key is no key: it may repeat and finds nothing", async () => {
    await appendAll(store(), [anEntry("c1", 1), anEntry("c1", 2)]);
    const found = await store().transaction((tx) => tx.entryByKey("ada", "chatMessage", ""));
    expect(found).toBeUndefined();
  });

  test("M3: seqs that leave a gap, repeat or begin after 1 are refused", async () => {
    await appendAll(store(), [anEntry("c1", 1), anEntry("c1", 2)]);
    await expect(appendAll(store(), [anEntry("c1", 4)])).rejects.toThrow(/seq 4/);
    await expect(appendAll(store(), [anEntry("c1", 2)])).rejects.toThrow(/seq 2/);
    await expect(appendAll(store(), [anEntry("c2", 2)])).rejects.toThrow(/seq 2/);
    await expect(appendAll(store(), [anEntry("c1", 3), anEntry("c1", 5)])).rejects.toThrow(/seq 5/);
    expect((await read(store(), { limit: 9 })).entries.map((entry) => entry.seq)).toEqual([1, 2]);
  });

  test("M3: a channel whose lastSeq is not its log's end is refused", async () => {
    await say(store(), "c1");
    const wrong = store().transaction(async (tx) => {
      await tx.putChannel(aChannel("c1", { lastSeq: 2 }));
      await tx.channelsBehind("ada");
    });
    await expect(wrong).rejects.toThrow(/lastSeq 2/);
    const unsaid = store().transaction((tx) => tx.append([anEntry("c1", 2)]));
    await expect(unsaid).rejects.toThrow(/ends at 2/);
  });

  test("an entry needs a stored channel", async () => {
    const attempt = store().transaction((tx) => tx.append([anEntry("nowhere", 1)]));
    await expect(attempt).rejects.toThrow(/channel/);
  });

  test("a transaction sees the entries it has just appended", async () => {
    await store().transaction(async (tx) => {
      await tx.putChannel(aChannel("c1", { lastSeq: 1 }));
      await tx.append([anEntry("c1", 1, { key: "k" })]);
      expect(await tx.entryByKey("ada", "chatMessage", "k")).toMatchObject({ seq: 1 });
      const page = await tx.entries({ channelId: "c1", limit: 9, maxBytes: 1e6 });
      expect(page.entries).toHaveLength(1);
    });
  });

  test("a range is bounded on both sides and says whether it holds more", async () => {
    await appendAll(
      store(),
      [1, 2, 3, 4, 5, 6].map((seq) => anEntry("c1", seq)),
    );
    expect(await seqs({ limit: 9 })).toEqual([[1, 2, 3, 4, 5, 6], false]);
    expect(await seqs({ afterSeq: 2, beforeSeq: 5, limit: 9 })).toEqual([[3, 4], false]);
    expect(await seqs({ afterSeq: 2, limit: 2 })).toEqual([[3, 4], true]);
    expect(await seqs({ afterSeq: 2, limit: 4 })).toEqual([[3, 4, 5, 6], false]);
    expect(await seqs({ newest: true, limit: 2 })).toEqual([[5, 6], true]);
    expect(await seqs({ newest: true, beforeSeq: 4, limit: 3 })).toEqual([[1, 2, 3], false]);
    expect(await seqs({ afterSeq: 6, limit: 9 })).toEqual([[], false]);
    expect(await seqs({ channelId: "c2", limit: 9 })).toEqual([[], false]);
    expect(await seqs({ channelId: "nowhere", limit: 9 })).toEqual([[], false]);
  });

  test("a range keeps to a kind, and leaves out an author", async () => {
    await appendAll(store(), [
      anEntry("c1", 1, { kind: "chatRequest", author: "bob" }),
      anEntry("c1", 2, { kind: "chatAccept", author: "" }),
      anEntry("c1", 3, { author: "ada" }),
      anEntry("c1", 4, { author: "bob" }),
    ]);
    expect(await seqs({ kind: "chatMessage", limit: 9 })).toEqual([[3, 4], false]);
    // What the hub wrote is for both (C8).
    expect(await seqs({ notBy: "bob", limit: 9 })).toEqual([[2, 3], false]);
    expect(await seqs({ notBy: "bob", kind: "chatMessage", limit: 9 })).toEqual([[3], false]);
    expect(await seqs({ notBy: "bob", limit: 1 })).toEqual([[2], true]);
  });

  test("M7: a range stops before its bodies exceed maxBytes, but returns one entry", async () => {
    const body = new Uint8Array(100);
    await appendAll(
      store(),
      [1, 2, 3].map((seq) => anEntry("c1", seq, { body })),
    );
    expect(await seqs({ limit: 9, maxBytes: 300 })).toEqual([[1, 2, 3], false]);
    expect(await seqs({ limit: 9, maxBytes: 299 })).toEqual([[1, 2], true]);
    expect(await seqs({ limit: 9, maxBytes: 1 })).toEqual([[1], true]);
    expect(await seqs({ limit: 9, maxBytes: 299, newest: true })).toEqual([[2, 3], true]);
    expect(await seqs({ limit: 9, maxBytes: 1, afterSeq: 2 })).toEqual([[3], false]);
  });

  async function seqs(range: Partial<EntryRange> & { limit: number }): Promise<unknown[]> {
    const { entries, hasMore } = await read(store(), range);
    return [entries.map((entry) => entry.seq), hasMore];
  }
}

function read(store: Store, range: Partial<EntryRange> & { limit: number }) {
  return store.transaction((tx) => tx.entries({ channelId: "c1", maxBytes: 1e6, ...range }));
}
