import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type CaseContext, needed, type StorageCase } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";

const HUB = fileURLToPath(new URL("small-log-hub.ts", import.meta.url));
const MIB = 1024 * 1024;
const MAX_LOG_BYTES = 16 * MIB;
/** A transaction that began below the bound may go beyond. */
const ONE_TURN_BYTES = 2 * MIB;
const CONTENT = "x".repeat(64 * 1024);
/** Far more than the bound, where nothing holds it. */
const MESSAGES = 1_000;

/** A process that reads for so long that the log cannot be started over. */
export const longReader: StorageCase = {
  name: "long-reader",
  proves: "under a long reader the log stays within its bound, reads go on, and sending comes back",
  run: readForLong,
};

async function readForLong({
  folder,
  progress,
  violated,
}: CaseContext): Promise<Record<string, number>> {
  const db = join(folder, "hub.db");
  const child = spawn(process.execPath, [HUB, db, `${MAX_LOG_BYTES}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const receipts: Receipt[] = [];
  let largest = 0;
  try {
    const [address] = await once(createInterface(child.stdout), "line");
    const alice = talk(String(address), "alice");
    const say = async (messageId: string) => {
      const said = await alice.say("bob", messageId, CONTENT);
      if (said.kind === "unknown") throw new Error("the stream ended");
      if (said.kind === "receipt") {
        const { channelId, seq } = said;
        receipts.push({ channelId, seq, author: "alice", messageId });
      }
      largest = Math.max(largest, statSync(`${db}-wal`).size);
      return said;
    };
    for (let count = 0; count < MESSAGES / 4; count += 1) await say(`before-${count}`);
    const alone = largest;
    if (alone > 8 * MIB) violated(`without a reader the log has ${alone} bytes`);

    const reader = new DatabaseSync(db, { readOnly: true });
    reader.exec("BEGIN");
    const before = reader.prepare("SELECT count(*) AS count FROM entries").get()?.count;
    let refusal = "";
    for (let count = 0; count < MESSAGES && refusal === ""; count += 1) {
      const said = await say(`during-${count}`);
      if (said.kind === "refused") refusal = said.reason;
    }
    progress(`after ${receipts.length} receipts: ${refusal || "no refusal"}`);
    if (refusal !== "STORAGE_FULL") violated(`the bound was told as "${refusal}"`);
    const { channelId } = needed(receipts[0], "receipt");
    const page = await alice.history(channelId);
    if ("refused" in page) violated(`the history was refused: ${page.refused}`);
    if (reader.prepare("SELECT count(*) AS count FROM entries").get()?.count !== before) {
      violated("the reader saw what was written after it began");
    }
    reader.exec("COMMIT");
    reader.close();
    const after = await say("after");
    if (after.kind !== "receipt") violated(`without the reader it got ${JSON.stringify(after)}`);
    if (largest > MAX_LOG_BYTES + ONE_TURN_BYTES) violated(`the log had ${largest} bytes`);
    const left = statSync(`${db}-wal`).size;
    if (left > 4 * MIB) violated(`the log still has ${left} bytes when the reader is gone`);
    alice.close();
    child.kill("SIGTERM");
    const [code] = await ended;
    if (code !== 0) violated(`SIGTERM ended it with ${code}`);
    for (const problem of problemsOf(db, receipts)) violated(problem);
    return { wal_alone_kib: Math.round(alone / 1024), wal_most_kib: Math.round(largest / 1024) };
  } finally {
    child.kill("SIGKILL");
  }
}
