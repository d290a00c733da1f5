import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, needed, type StorageCase } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";

/** Another process that holds the right to write. */
export const locked: StorageCase = {
  name: "locked",
  proves: "while another process writes, sends get STORAGE_UNAVAILABLE, reads go on, then all does",
  run: holdTheLock,
};

async function holdTheLock({
  folder,
  scale,
  violated,
}: CaseContext): Promise<Record<string, number>> {
  const db = join(folder, "hub.db");
  const hub = await startHubProcess({ db });
  const alice = talk(hub.address, "alice");
  const receipts: Receipt[] = [];
  const say = async (messageId: string) => {
    const said = await alice.say("bob", messageId, "x");
    if (said.kind === "receipt") {
      const { channelId, seq } = said;
      receipts.push({ channelId, seq, author: "alice", messageId });
    }
    return said;
  };
  const rounds = 5 * scale;
  let slowestMs = 0;
  try {
    await say("first");
    const { channelId } = needed(receipts[0], "receipt");
    for (let round = 0; round < rounds; round += 1) {
      const other = new DatabaseSync(db);
      other.exec("BEGIN IMMEDIATE");
      const askedAtMs = performance.now();
      const said = await say(`m-${round}`);
      slowestMs = Math.max(slowestMs, performance.now() - askedAtMs);
      if (said.kind !== "refused" || said.reason !== "STORAGE_UNAVAILABLE") {
        violated(`while locked, a message got ${JSON.stringify(said)}`);
      }
      const page = await alice.history(channelId);
      if ("refused" in page) violated(`while locked, the history was refused: ${page.refused}`);
      const bob = talk(hub.address, "bob", true);
      const heard = await bob.heard(receipts.length);
      bob.close();
      if (heard.length !== receipts.length) violated(`while locked, bob heard ${heard.length}`);
      other.exec("ROLLBACK");
      other.close();
      const again = await say(`m-${round}`);
      if (again.kind !== "receipt") violated(`afterwards it got ${JSON.stringify(again)}`);
    }
    alice.close();
    const end = await hub.end("SIGTERM");
    if (end.code !== 0) violated(`SIGTERM ended it with ${end.signal ?? end.code}`);
    for (const problem of problemsOf(db, receipts)) violated(problem);
  } finally {
    await hub.end();
  }
  return { locked_rounds: rounds, locked_answer_ms: Math.round(slowestMs) };
}
