import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, needed, type StorageCase } from "./case.ts";
import { problemsOf, type Receipt } from "./log-check.ts";
import { type Talker, talk } from "./talker.ts";

const SMALL_MIB = 12;
const LARGE_MIB = 24;
const CONTENT = "x".repeat(16 * 1024);
const MAX_TRIES = 5_000;

/** A disk that is full, again and again. */
export const diskFull: StorageCase = {
  name: "disk-full",
  proves: "on a full disk sends get STORAGE_FULL, reads go on, and space alone brings sending back",
  lacking() {
    if (process.geteuid?.() !== 0) return "mount";
    return spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0
      ? undefined
      : "mount";
  },
  run: fillAndFree,
};

async function fillAndFree(context: CaseContext): Promise<Record<string, number>> {
  const disk = join(context.folder, "disk");
  mkdirSync(disk);
  mount(disk, `size=${SMALL_MIB}m`);
  const db = join(disk, "hub.db");
  const hub = await startHubProcess({ db });
  const alice = talk(hub.address, "alice");
  const receipts: Receipt[] = [];
  const rounds = 4 * context.scale;
  let refused = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const ballast = join(disk, "ballast");
      // The first time it is the hub itself that fills the disk.
      if (round > 0) fill(ballast);
      const full = await sayUntil(alice, `fill-${round}`, "refused", receipts);
      refused += full.tries.refused;
      if (full.reason !== "STORAGE_FULL") context.violated(`refused with ${full.reason}`);
      await readOn(context, hub.address, alice, receipts);
      if (round > 0) rmSync(ballast);
      else mount(disk, `remount,size=${LARGE_MIB}m`);
      // The refused message, under its own id: space alone brings sending back.
      const again = await sayUntil(alice, `free-${round}`, "receipt", receipts);
      refused += again.tries.refused;
      context.progress(`round ${round + 1} of ${rounds}: ${receipts.length} receipts`);
    }
    alice.close();
    const end = await hub.end("SIGTERM");
    if (end.code !== 0) context.violated(`SIGTERM ended it with ${end.signal ?? end.code}`);
    await startAgain(context, disk, db);
    for (const problem of problemsOf(db, receipts)) context.violated(problem);
  } finally {
    await hub.end();
    spawnSync("umount", [disk]);
  }
  return { full_rounds: rounds, full_refused: refused, full_receipts: receipts.length };
}

/** Says one message after another until one ends like this. */
async function sayUntil(
  alice: Talker,
  name: string,
  end: "refused" | "receipt",
  receipts: Receipt[],
): Promise<{ reason: string; tries: { refused: number } }> {
  const tries = { refused: 0 };
  for (let count = 0; count < MAX_TRIES; count += 1) {
    const messageId = end === "receipt" ? name : `${name}-${count}`;
    const said = await alice.say("bob", messageId, CONTENT);
    if (said.kind === "unknown") throw new Error("the stream ended");
    if (said.kind === "receipt") {
      const { channelId, seq } = said;
      receipts.push({ channelId, seq, author: "alice", messageId });
    } else {
      tries.refused += 1;
    }
    if (said.kind === end) return { reason: said.kind === "refused" ? said.reason : "", tries };
  }
  throw new Error(`no message of ${MAX_TRIES} ended with ${end}`);
}

/** A hub that was stopped needs room to start: it says so, and room alone lets it. */
async function startAgain({ violated }: CaseContext, disk: string, db: string): Promise<void> {
  const ballast = join(disk, "ballast");
  fill(ballast);
  const outcome = await startHubProcess({ db }).then(
    (hub) => hub.end().then(() => "it served"),
    (error: Error) => error.message,
  );
  if (!outcome.includes("no room on its disk")) violated(`started on a full disk: ${outcome}`);
  rmSync(ballast);
  const hub = await startHubProcess({ db });
  await hub.end("SIGTERM");
}

/** A repeat, the history, and all that a new session has missed. */
async function readOn(
  { violated }: CaseContext,
  address: string,
  alice: Talker,
  receipts: Receipt[],
): Promise<void> {
  const first = needed(receipts[0], "receipt");
  const repeat = await alice.say("bob", first.messageId, CONTENT);
  if (repeat.kind !== "receipt" || !repeat.duplicate || repeat.seq !== first.seq) {
    violated(`a repeat got ${JSON.stringify(repeat)}`);
  }
  // Reading between two that would write, in one turn: they do not take it with them.
  const burst = (name: string) =>
    Array.from({ length: 10 }, (_, index) => alice.say("carol", `${name}-${index}`, "x"));
  const before = burst("before");
  const reading = alice.history(first.channelId);
  const others = await Promise.all([...before, ...burst("behind")]);
  const page = await reading;
  if (others.some((said) => said.kind !== "refused")) violated("a full disk took something");
  if ("refused" in page) violated(`the history was refused: ${page.refused}`);
  const bob = talk(address, "bob", true);
  const heard = await bob.heard(receipts.length);
  bob.close();
  const said = receipts.map(({ messageId }) => messageId);
  if (heard.join() !== said.join()) {
    violated(`a new session was sent ${heard.length} of ${said.length} messages, or in disorder`);
  }
}

function fill(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
      const chunk = Buffer.alloc(size);
      try {
        while (writeSync(fd, chunk) > 0);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function mount(disk: string, options: string): void {
  const words = ["-t", "tmpfs", "-o", options, "tmpfs", disk];
  const { status, stderr } = spawnSync("mount", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
}
