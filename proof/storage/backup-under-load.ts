import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ChatClient } from "claw-chat-hub";
import { CLAW_CHAT, startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, needed, type StorageCase, soon } from "./case.ts";
import { entriesOf, problemsOf, type Receipt } from "./log-check.ts";
import { talk } from "./talker.ts";

const SENDERS = 4;
const AT_ONCE = 8;
const CONTENT = "x".repeat(2_000);
const BACKUPS = 3;
const RECEIPTS_BETWEEN = 500;

/** A backup while agents talk, and a hub that goes on from it. */
export const backupUnderLoad: StorageCase = {
  name: "backup-under-load",
  proves:
    "a backup under load holds a prefix of every log, and clients go on with what is restored",
  run: backUpUnderLoad,
};

async function backUpUnderLoad(context: CaseContext): Promise<Record<string, number>> {
  const { folder, violated, progress } = context;
  const db = join(folder, "hub.db");
  let hub = await startHubProcess({ db });
  const { address } = hub;
  // It hears everything, and so knows positions that the restored log does not have.
  const reader = heardBy(address, "reader");
  await reader.client.connect();

  const receipts: Receipt[] = [];
  const senders = startSenders(address, receipts, violated);
  const backups: { path: string; before: Receipt[] }[] = [];
  for (let round = 1; round <= BACKUPS * context.scale; round += 1) {
    await soon(senders.stored(round * RECEIPTS_BETWEEN), "the load");
    const before = receipts.slice();
    const path = join(folder, `backup-${round}.db`);
    const done = await runDb(["backup", path, "--db", db]);
    if (done.code !== 0) violated(`the backup failed: ${done.text}`);
    if (receipts.length === before.length) violated("nothing was stored during the backup");
    backups.push({ path, before });
  }
  await soon(senders.stored(receipts.length + RECEIPTS_BETWEEN), "the load");
  await senders.stop();
  progress(`${backups.length} backups among ${receipts.length} receipts`);
  const last = needed(receipts.at(-1), "receipt");
  await soon(reader.heard(last.messageId), "the last message");
  const endOfFirst = await hub.end("SIGTERM");
  if (endOfFirst.code !== 0) violated(`SIGTERM ended it with ${endOfFirst.code}`);

  for (const problem of problemsOf(db, receipts)) violated(`the database: ${problem}`);
  let inBackup = 0;
  for (const { path, before } of backups) {
    for (const problem of problemsOf(path, before)) violated(`${path}: ${problem}`);
    if (existsSync(`${path}-wal`)) violated(`${path} is more than one file`);
    inBackup = checkPrefix(db, path, violated);
    const verified = await runDb(["verify", "--db", path]);
    if (verified.code !== 0) violated(`verify: ${verified.text}`);
  }

  const { path: backup } = needed(backups.at(-1), "backup");
  const restored = await runDb(["restore", backup, "--db", db]);
  if (restored.code !== 0) violated(`the restore failed: ${restored.text}`);
  const epochs = [await epochOf(backup), await epochOf(db)];
  if (epochs[0] === epochs[1]) violated("the restored database has the old epoch");
  hub = await startHubProcess({ db, listen: address });
  try {
    // Its seq is one that the reader has handled in the log from before.
    const alice = talk(address, "sender-0");
    const said = await alice.say("reader", "after-the-restore", "x");
    alice.close();
    if (said.kind !== "receipt" || said.duplicate) violated(`it got ${JSON.stringify(said)}`);
    await soon(reader.heard("after-the-restore"), "a message of the restored log");
    await reader.client.disconnect();
    const end = await hub.end("SIGTERM");
    if (end.code !== 0) violated(`SIGTERM ended it with ${end.code}`);
    for (const problem of problemsOf(db, [])) violated(`the restored database: ${problem}`);
  } finally {
    await hub.end();
  }
  return { backups: backups.length, backup_entries: inBackup, backup_of: receipts.length };
}

/** Agents that talk to the reader until they are stopped. */
function startSenders(address: string, receipts: Receipt[], violated: (text: string) => void) {
  let stopping = false;
  const waiters: { count: number; wake: () => void }[] = [];
  const talkers = Array.from({ length: SENDERS }, (_, index) => {
    const author = `sender-${index}`;
    const talker = talk(address, author);
    let next = 0;
    const worker = async () => {
      while (!stopping) {
        const messageId = `${author}-${next}`;
        next += 1;
        const said = await talker.say("reader", messageId, CONTENT);
        if (said.kind !== "receipt") {
          violated(`${messageId} got ${JSON.stringify(said)}`);
          return;
        }
        receipts.push({ channelId: said.channelId, seq: said.seq, author, messageId });
        for (const { count, wake } of waiters) if (receipts.length >= count) wake();
      }
    };
    return { talker, done: Promise.all(Array.from({ length: AT_ONCE }, worker)) };
  });
  return {
    stored: (count: number) =>
      new Promise<void>((wake) => {
        waiters.push({ count, wake });
        if (receipts.length >= count) wake();
      }),
    async stop() {
      stopping = true;
      for (const { talker, done } of talkers) {
        await done;
        talker.close();
      }
    },
  };
}

/** A client that notes the ids of what it hears. */
function heardBy(address: string, agentId: string) {
  const ids: string[] = [];
  const listeners = new Set<() => void>();
  const client = new ChatClient({ hubUrl: address, agentId });
  client.listen({
    message: async ({ messageId }) => {
      ids.push(messageId);
      for (const listener of [...listeners]) listener();
    },
  });
  const heard = (messageId: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!ids.includes(messageId)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  return { client, heard };
}

/** Holds every entry of the backup against the database; returns how many there are. */
function checkPrefix(db: string, backup: string, violated: (text: string) => void): number {
  const nameOf = ({ channelId, seq }: { channelId: string; seq: number }) => `${channelId} ${seq}`;
  const whole = new Map(entriesOf(db).map((entry) => [nameOf(entry), entry]));
  const copied = entriesOf(backup);
  for (const entry of copied) {
    const same = whole.get(nameOf(entry));
    if (same?.author !== entry.author || same.key !== entry.key) {
      violated(`${nameOf(entry)} of the backup is not in the database`);
    }
  }
  return copied.length;
}

async function epochOf(path: string): Promise<string> {
  const { text } = await runDb(["verify", "--json", "--db", path]);
  return String(JSON.parse(text).epoch);
}

/** Runs `claw-chat db …` to its end. */
async function runDb(words: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [CLAW_CHAT, "db", ...words]);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const [code] = await once(child, "close");
  return { code, text };
}
