import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aFolder } from "../store/a-folder.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";

afterEach(closeAgents);

const MAX_LOG_BYTES = 256 * 1024;

function large(messageId: string): Parameters<RawAgent["ask"]>[0] {
  const value = { targetAgent: "bob", messageId, content: "x".repeat(16 * 1024) };
  return { $case: "chatMessage", value };
}

test("M1: where a long reader lets the log grow to its bound, sends get STORAGE_FULL, reads go on, and all is well when it is gone", async () => {
  const path = join(aFolder(), "hub.db");
  const store = await openSqliteStore({ path, maxLogBytes: MAX_LOG_BYTES });
  const hub = await startHub({ store, listen: "127.0.0.1:0" });
  const alice = openAgent(hub.address, "alice");
  const { channelId } = await alice.store(large("first"));
  const reader = new Database(path, { readonly: true });
  reader.exec("BEGIN");
  const before = reader.prepare("SELECT count(*) FROM entries").pluck().get();

  const stored: string[] = ["first"];
  let refused: string | undefined;
  for (let count = 0; count < 100 && refused === undefined; count += 1) {
    const answer = await alice.ask(large(`m-${count}`));
    if (answer.frame?.$case === "error") {
      expect(answer.frame.value).toMatchObject({ reason: "STORAGE_FULL", retryable: true });
      refused = `m-${count}`;
    } else {
      stored.push(`m-${count}`);
    }
  }
  expect(refused).toBeDefined();
  // One turn may go beyond, by no more than what it holds.
  expect(statSync(`${path}-wal`).size).toBeLessThan(MAX_LOG_BYTES + 64 * 1024);

  // A repeat is answered, the history is read, and a new session is sent what it missed.
  expect(await alice.store(large("first"))).toMatchObject({ duplicate: true, seq: 1n });
  const page = await alice.ask({ $case: "chatHistory", value: { channelId, limit: 1 } });
  expect(page.frame).toMatchObject({ $case: "chatHistory", value: { hasMore: true } });
  const bob = openAgent(hub.address, "bob", "manual");
  for (const messageId of stored)
    expect(await bob.next("chatMessage")).toMatchObject({ messageId });
  expect(reader.prepare("SELECT count(*) FROM entries").pluck().get()).toBe(before);

  reader.exec("COMMIT");
  reader.close();
  expect(await alice.store(large(refused ?? ""))).toMatchObject({
    duplicate: false,
    seq: BigInt(stored.length + 1),
  });
  expect(statSync(`${path}-wal`).size).toBeLessThan(MAX_LOG_BYTES);
  await closeAgents();
  await hub.stop();
  await store.close();
});
