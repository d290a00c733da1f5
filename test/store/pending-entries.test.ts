import { expect, test } from "vitest";
import type { CachedChannel } from "../../src/store/sqlite/channel-cache.js";
import type { EntryRows } from "../../src/store/sqlite/entry-rows.js";
import { PendingEntries } from "../../src/store/sqlite/pending-entries.js";
import { anEntry } from "./sample.js";

/** Adds a message of its own author to each of many channels. @returns how many rows waited at most */
function mostGathered(of: { messages: number; sizeBytes: number }): number {
  let written = 0;
  const rows = {
    noteMessageId: () => "",
    insert: () => {
      written += 1;
      return written;
    },
  };
  const pending = new PendingEntries(rows as unknown as EntryRows);
  const body = new Uint8Array(of.sizeBytes);
  let most = 0;
  for (let added = 1; added <= of.messages; added += 1) {
    const channel = { orders: { id: added } } as unknown as CachedChannel;
    pending.add(channel, anEntry(`c${added}`, 1, { author: `a${added}`, key: "k", body }));
    most = Math.max(most, added - written);
  }
  pending.flush();
  expect(written).toBe(of.messages);
  return most;
}

test("few rows are gathered before they are written, for that is done in one go", () => {
  expect(mostGathered({ messages: 1_000, sizeBytes: 300 })).toBe(128);
});

test("nor many bytes, where messages are large", () => {
  expect(mostGathered({ messages: 1_000, sizeBytes: 100_000 })).toBe(10);
  expect(mostGathered({ messages: 10, sizeBytes: 2_000_000 })).toBe(1);
});
