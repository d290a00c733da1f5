import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aFolder } from "./a-folder.js";
import { aChannel, putAll, say } from "./sample.js";

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
const NONCE = 7;

let path: string;
beforeEach(() => {
  path = join(aFolder(), "chat.db");
});

/** A rollback journal, finished and synced (https://www.sqlite.org/fileformat.html#the_rollback_journal). */
function journal(pagesBefore: number, firstPage?: Uint8Array): Buffer {
  const header = Buffer.alloc(SECTOR_BYTES);
  header.write("d9d505f920a163d7", "hex");
  const numbers = [firstPage ? 1 : 0, NONCE, pagesBefore, SECTOR_BYTES, PAGE_BYTES];
  for (const [index, number] of numbers.entries()) header.writeUInt32BE(number, 8 + index * 4);
  if (firstPage === undefined) return header;
  let sum = NONCE;
  for (let at = PAGE_BYTES - 200; at > 0; at -= 200) sum += firstPage[at] ?? 0;
  const number = Buffer.alloc(4);
  number.writeUInt32BE(1);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(sum);
  return Buffer.concat([header, number, firstPage, checksum]);
}

/** It opens, and takes entries. */
async function serves(): Promise<void> {
  const store = await openSqliteStore({ path });
  await putAll(store, aChannel("c1"));
  await say(store, "c1");
  const page = await store.transaction((tx) =>
    tx.entries({ channelId: "c1", afterSeq: 0, limit: 10, maxBytes: 1000 }),
  );
  expect(page.entries.map(({ seq }) => seq)).toEqual([1]);
  await store.close();
}

test.each([
  ["without its first page", 0],
  ["with half of its header", 30],
  ["with all but the id of the program", 69],
])("M1: a file that lost power %s while it was created is created anew", async (_how, bytes) => {
  const store = await openSqliteStore({ path });
  await store.close();
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([whole.subarray(0, bytes), Buffer.alloc(3 * PAGE_BYTES)]));
  writeFileSync(`${path}-journal`, journal(0));
  await serves();
});

test.each([
  ["that says the file held something before", () => journal(3)],
  ["that is none", () => Buffer.alloc(SECTOR_BYTES)],
])("a file without a header beside a journal %s is left alone", async (_what, make) => {
  const bytes = Buffer.alloc(3 * PAGE_BYTES);
  writeFileSync(path, bytes);
  writeFileSync(`${path}-journal`, make());
  await expect(openSqliteStore({ path })).rejects.toThrow(/is no SQLite database/);
  expect(readFileSync(path)).toEqual(bytes);
});

test("M1: a file that lost power while it got its log has what its journal says undone", async () => {
  const store = await openSqliteStore({ path });
  await store.close();
  const whole = readFileSync(path);
  const before = journal(whole.length / PAGE_BYTES, whole.subarray(0, PAGE_BYTES));
  // The file is being changed, and a name has come to the disk before its time.
  writeFileSync(`${path}-journal`, before);
  writeFileSync(path, Buffer.from(whole).fill(0xff, 100, 120));
  writeFileSync(`${path}-wal`, "");
  await serves();
});
