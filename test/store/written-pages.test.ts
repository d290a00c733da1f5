import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import type { Transaction } from "../../src/hub/store.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aFolder } from "./a-folder.js";
import { aChannel, putAll } from "./sample.js";
import { sizeOfLog } from "./size-of-log.js";
import { speak } from "./speaking.js";

test("a message and its ack write no page that they do not change", async () => {
  const path = join(aFolder(), "chat.db");
  const store = await openSqliteStore({ path });
  const db = new Database(path);
  onTestFinished(async () => {
    db.close();
    await store.close();
  });
  async function pagesOf(work: (tx: Transaction) => Promise<unknown>): Promise<number> {
    const before = sizeOfLog(db).log;
    await store.transaction(work);
    return sizeOfLog(db).log - before;
  }
  const message = (tx: Transaction, key: string) =>
    speak(tx, { channelId: "c1", author: "bob", key, content: "hello" });
  async function ack(tx: Transaction): Promise<void> {
    const channel = await tx.channel("c1");
    if (channel === undefined) throw new Error("there is no channel");
    const { lastSeq: position } = channel;
    await tx.putChannel({ ...channel, provider: { ...channel.provider, position } });
  }

  await putAll(store, aChannel("c1"));
  await store.transaction((tx) => message(tx, "k1"));
  // The channel, and the index of who is behind as a provider.
  expect(await pagesOf(ack)).toBe(2);
  // Those, the entry with its two indexes, and the index of what was used last.
  expect(await pagesOf((tx) => message(tx, "k2"))).toBe(6);
});
