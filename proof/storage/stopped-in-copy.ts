import { statSync } from "node:fs";
import { join } from "node:path";
import { startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, type StorageCase, soon } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";
import { callsIn, lackingStrace, STORAGE_EXIT, startTraced, stopTraced } from "./traced-hub.ts";

const CONTENT = "x".repeat(128 * 1024);
/** The log is copied when it has so many pages; on the disk each has a head of 24 bytes. */
const COPIED_PAGES = 1024;
const PAGE_BYTES = 4096 + 24;
const MOST_MESSAGES = 100;
/** Longer than everything else takes that a hub does when it stops. */
const DELAY_US = 3_000_000;

/** A disk that fails in the last copy of the log, when nobody is there any more. */
export const stoppedInCopy: StorageCase = {
  name: "stopped-in-copy",
  proves: "a hub that is told to stop while it copies its log says so where that copy fails",
  lacking: lackingStrace,
  run: stopInCopy,
};

async function stopInCopy(context: CaseContext): Promise<Record<string, number>> {
  const inCopy = await stopOnce(context, "in-copy", COPIED_PAGES);
  const atClose = await stopOnce(context, "at-close", 1);
  return { stopped_receipts: inCopy + atClose };
}

/** @param pages of the log: with fewer than it is copied at, the copy is the one at the end */
async function stopOnce(
  { folder, violated }: CaseContext,
  name: string,
  pages: number,
): Promise<number> {
  const wrong = (text: string) => violated(`${name}: ${text}`);
  const inject = ["-e", `inject=fsync:error=EIO:delay_enter=${DELAY_US}:when=1`];
  const hub = await startTraced(join(folder, name), inject, { onlyTheFile: true });
  const alice = talk(hub.process.address, "alice");
  const receipts: Receipt[] = [];
  const logPages = () => statSync(`${hub.db}-wal`).size / PAGE_BYTES;
  // The receipt comes first, then the copy; no further transaction is to wait for that.
  while (logPages() < pages || receipts.length === 0) {
    if (receipts.length === MOST_MESSAGES) throw new Error("the log does not grow");
    const messageId = `m-${receipts.length}`;
    const said = await alice.say("bob", messageId, CONTENT);
    if (said.kind !== "receipt") throw new Error(`a message was answered with ${said.kind}`);
    const { channelId, seq } = said;
    receipts.push({ channelId, seq, author: "alice", messageId });
  }
  alice.close();
  stopTraced(hub.process);
  const { code, signal } = await soon(hub.process.ended, "the end after SIGTERM");
  const lines = callsIn(hub.trace());
  const hitAt = lines.findIndex((line) => line.includes("(INJECTED)"));
  if (hitAt < 0) wrong("no copy was under way");
  const after = lines.slice(hitAt + 1);
  if (after.length > 0) wrong(`after the failed sync it wrote: ${after[0]}`);
  const log = hub.process.log();
  const [told, failed] = [log.indexOf('"stopping"'), log.indexOf("the store has failed")];
  if (told < 0 || (failed >= 0 && failed < told)) wrong("it failed before it was told to stop");
  if (code !== STORAGE_EXIT) wrong(`the hub ended with ${signal ?? code}, not ${STORAGE_EXIT}`);

  const again = await startHubProcess({ db: hub.db });
  const end = await again.end("SIGTERM");
  if (end.code !== 0) wrong(`the next hub ended with ${end.signal ?? end.code}`);
  for (const problem of problemsOf(hub.db, receipts)) wrong(problem);
  return receipts.length;
}
