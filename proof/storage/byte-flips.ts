import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startHubProcess } from "../support/hub-process.ts";
import { type CaseContext, needed, type StorageCase } from "./case.ts";
import { talk } from "./talker.ts";

const AGENTS = 5;
const MESSAGES = 40;
const CONTENT = "x".repeat(300);
/** Offsets that decide what the file is are tried in every run. */
const HEADER_OFFSETS = [0, 16, 18, 20, 59, 63, 68, 100, 104];
const PAGE_BYTES = 4096;
/** Flips of a page's first byte, which says what the page is; most other bytes are contents. */
const PAGE_FLIPS = 5;
const OTHER_FLIPS = 10;

/** A database of which one byte is another. */
export const byteFlips: StorageCase = {
  name: "byte-flips",
  proves:
    "a damaged database is refused in one sentence and left as it is, or was not seen to be damaged",
  run: flipBytes,
};

async function flipBytes(context: CaseContext): Promise<Record<string, number>> {
  const { folder, random, progress } = context;
  const original = join(folder, "original.db");
  await makeDatabase(original);
  const bytes = readFileSync(original);
  const chosen = new Set(HEADER_OFFSETS);
  const pages = bytes.length / PAGE_BYTES;
  const inPages = chosen.size + Math.min(PAGE_FLIPS * context.scale, pages - 1);
  while (chosen.size < inPages) chosen.add(PAGE_BYTES * random.int(1, pages - 1));
  const inAll = chosen.size + OTHER_FLIPS * context.scale;
  while (chosen.size < inAll) chosen.add(random.int(0, bytes.length - 1));
  const offsets = [...chosen];
  const masks = offsets.map(() => random.int(1, 255));
  const counts = { refused: 0, served: 0 };
  let next = 0;
  const worker = async () => {
    while (next < offsets.length) {
      const index = next;
      next += 1;
      const offset = needed(offsets[index], "offset");
      const outcome = await oneFlip(context, original, { offset, mask: masks[index] ?? 1 });
      counts[outcome] += 1;
    }
  };
  await Promise.all([worker(), worker()]);
  progress(`${counts.refused} refused, ${counts.served} not seen, of ${bytes.length} bytes`);
  if (counts.refused === 0) context.violated("no flip was refused: nothing was proved");
  return { flips: offsets.length, flips_refused: counts.refused, flips_unseen: counts.served };
}

async function oneFlip(
  { folder, violated }: CaseContext,
  original: string,
  { offset, mask }: { offset: number; mask: number },
): Promise<"refused" | "served"> {
  const at = join(folder, `flip-${offset}-${mask}`);
  mkdirSync(at);
  const db = join(at, "hub.db");
  copyFileSync(original, db);
  const bytes = readFileSync(db);
  bytes[offset] = (bytes[offset] ?? 0) ^ mask;
  writeFileSync(db, bytes);
  const before = hashOf(db);
  const isWhole = seemsWhole(db, join(at, "looked-at.db"));
  const wrong = (text: string) => violated(`byte ${offset} with ${mask} flipped: ${text}`);
  try {
    const hub = await startHubProcess({ db });
    const { code, signal } = await hub.end("SIGTERM");
    if (!isWhole) wrong("it served, though its structure is damaged");
    if (code !== 0) wrong(`it served, and ended with ${signal ?? code}`);
    return "served";
  } catch (error) {
    const said = String(error);
    if (!said.includes("the hub ended (1)")) wrong(`it did not end with 1: ${said}`);
    const sentence = /claw-chat: (.*)\n/.exec(said)?.[1] ?? "";
    if (!sentence.includes("hub.db")) wrong(`it did not say why: ${said}`);
    if (hashOf(db) !== before) wrong("it was refused, and changed");
    if (existsSync(`${db}-wal`)) wrong("it was refused, and has a log");
    return "refused";
  }
}

async function makeDatabase(path: string): Promise<void> {
  const hub = await startHubProcess({ db: path });
  for (let agent = 0; agent < AGENTS; agent += 1) {
    const talker = talk(hub.address, `agent-${agent}`);
    for (let count = 0; count < MESSAGES; count += 1) {
      const to = `agent-${(agent + 1 + (count % (AGENTS - 1))) % AGENTS}`;
      const said = await talker.say(to, `m-${count}`, CONTENT);
      if (said.kind !== "receipt") throw new Error("a message was not stored");
    }
    talker.close();
  }
  await hub.end("SIGTERM");
}

/** Whether Node's own SQLite finds nothing wrong with the file's structure, in a copy of it. */
function seemsWhole(path: string, copy: string): boolean {
  copyFileSync(path, copy);
  try {
    const db = new DatabaseSync(copy);
    try {
      return db.prepare("PRAGMA quick_check(1)").get()?.quick_check === "ok";
    } finally {
      db.close();
    }
  } catch {
    return false;
  }
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
