import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ChatMessage } from "../../src/protocol/wire.js";

/** The four kinds that a run counts. */
type Kind = "lost" | "duplicated" | "misordered" | "gaps";
type Line = (string | number | boolean)[];

/** One way to tamper with what a good run left. */
export interface Tampering {
  /** The check that must notice, by its name in `proof/crash/checks.ts`. */
  check: string;
  counted: Kind;
  journal?: (lines: Line[]) => Line[] | undefined;
  file?: (db: DatabaseSync) => void;
}

/** The first line that fits, or an error: the run always has one. */
function first(lines: Line[], fits: (line: Line, index: number) => boolean): number {
  const index = lines.findIndex(fits);
  if (index < 0) throw new Error("no such line");
  return index;
}

/** Lines without the one that fits first. */
function without(lines: Line[], fits: (line: Line) => boolean): Line[] {
  return lines.toSpliced(first(lines, fits), 1);
}

/** Lines with the one that fits first changed. */
function changed(lines: Line[], what: string, at: number, value: Line[number]): Line[] {
  const index = first(lines, ([word]) => word === what);
  return lines.with(index, (lines[index] ?? []).with(at, value));
}

/** Lines with the first two of a kind, of one agent, channel and session, in each other's place. */
function swapped(lines: Line[], what: string, sameUpTo: number, from = 1): Line[] {
  const same = (one: Line, other: Line) =>
    one.slice(from, sameUpTo).join() === other.slice(from, sameUpTo).join();
  const rest = (line: Line) =>
    lines.findIndex(
      (other, index) => index > lines.indexOf(line) && other[0] === what && same(line, other),
    );
  const one = first(lines, (line) => line[0] === what && rest(line) >= 0);
  const other = rest(lines[one] ?? []);
  return lines.with(one, lines[other] ?? []).with(other, lines[one] ?? []);
}

/**
 * Gives each entry of a block a row of its own, so that one can be tampered with alone. Every order
 * stays: ids are a thousand times what they were, and the entries of a block have those before it.
 */
const SINGLE_ROWS = `
  UPDATE channels SET last_used = last_used * 1000, answered_order = answered_order * 1000;
  -- Below 0 first: no id may be that of another on the way.
  UPDATE entry_blocks SET id = id * -1000;
  UPDATE entry_blocks SET id = -id;
  CREATE TEMP TABLE singles AS
    SELECT block.id - (block.seq - entries.seq) AS id, entries.channel, entries.seq, entries.kind,
      entries.author, entries.key, entries.addressed_by_channel, entries.stored_at_ms, entries.body
    FROM entries JOIN entry_blocks AS block ON block.id = entries.id WHERE block.heads IS NOT NULL;
  DELETE FROM entry_blocks WHERE heads IS NOT NULL;
  INSERT INTO entry_blocks
    (id, channel, seq, kind, author, key, addressed_by_channel, stored_at_ms, body)
    SELECT * FROM singles;
  DROP TABLE singles;`;

/** A message that is neither the first nor the last entry of its channel, and has a receipt. */
const AMID = `SELECT entry_blocks.id FROM entry_blocks
  JOIN channels ON channels.id = entry_blocks.channel
  WHERE kind = 4 AND seq > 2 AND seq < last_seq LIMIT 1`;

function amid(db: DatabaseSync): { id: number; message: ChatMessage } {
  const id = Number(db.prepare(AMID).get()?.id);
  const row = db.prepare("SELECT body FROM entry_blocks WHERE id = ?").get(id);
  return { id, message: ChatMessage.decode(row?.body as Uint8Array) };
}

function putBody(db: DatabaseSync, id: number, message: ChatMessage): void {
  const body = ChatMessage.encode(message).finish();
  const put = db.prepare("UPDATE entry_blocks SET body = ?, key = ? WHERE id = ?");
  put.run(body, message.messageId, id);
}

/** One more entry at the end of the channel of a message. */
function appendCopy(db: DatabaseSync, messageId: (first: string) => string): void {
  const { id, message } = amid(db);
  const copy = { ...message, messageId: messageId(message.messageId) };
  db.exec("DROP INDEX entries_by_key");
  db.prepare(`UPDATE channels SET last_seq = last_seq + 1
    WHERE id = (SELECT channel FROM entry_blocks WHERE id = ?)`).run(id);
  const { lastInsertRowid } = db
    .prepare(`INSERT INTO entry_blocks (channel, seq, kind, author, key, addressed_by_channel,
        stored_at_ms, body)
      SELECT channel, last_seq, kind, author, key, addressed_by_channel, stored_at_ms, body
      FROM entry_blocks JOIN channels ON channels.id = channel WHERE entry_blocks.id = ?`)
    .run(id);
  const end = db.prepare("SELECT seq FROM entry_blocks WHERE id = ?").get(lastInsertRowid);
  putBody(db, Number(lastInsertRowid), { ...copy, seq: BigInt(Number(end?.seq)) });
}

/** One for each question of the checker, in the same order. */
export const TAMPERINGS: Tampering[] = [
  {
    check: "a receipt names an entry that is not in the file",
    counted: "lost",
    journal: (lines) => changed(lines, "receipt", 6, 1_000_000),
  },
  {
    check: "an entry is stored with other content than was sent",
    counted: "lost",
    file(db) {
      const { id, message } = amid(db);
      putBody(db, id, { ...message, content: `${message.content}.` });
    },
  },
  {
    check: "a delivered entry is not in the file",
    counted: "lost",
    file: (db) => db.exec(`DELETE FROM entry_blocks WHERE id = (${AMID})`),
  },
  {
    check: "an entry was delivered otherwise than it is stored",
    counted: "lost",
    journal: (lines) => changed(lines, "delivered", 8, "another print"),
  },
  {
    check: "an entry was never delivered to its receiver",
    counted: "lost",
    journal(lines) {
      const [, agent, , channel, seq] = lines[first(lines, ([word]) => word === "delivered")] ?? [];
      const same = (line: Line) =>
        line[0] === "delivered" && line[1] === agent && line[3] === channel && line[4] === seq;
      return lines.filter((line) => !same(line));
    },
  },
  {
    check: "a position is beyond what was acked",
    counted: "lost",
    journal: (lines) => lines.filter(([word]) => word !== "acked"),
  },
  {
    check: "a message was not handled by the package's client",
    counted: "lost",
    journal: (lines) => without(lines, ([word]) => word === "handled"),
  },
  {
    check: "something was refused for good",
    counted: "lost",
    journal: (lines) => [...lines, ["refused", "ann", 1, "chatMessage", "x", "BUSY", false]],
  },
  {
    check: "a call of the package's client failed",
    counted: "lost",
    journal: (lines) => [...lines, ["failed", "pat", "TIMEOUT"]],
  },
  {
    check: "the hub's epoch changed",
    counted: "lost",
    file: (db) => db.exec("UPDATE meta SET value = 'another' WHERE name = 'epoch'"),
  },
  {
    check: "the file is damaged",
    counted: "lost",
    file: (db) => db.exec(`UPDATE entry_blocks SET author = 'eve' WHERE id = (${AMID})`),
  },
  {
    check: "a key is stored more than once",
    counted: "duplicated",
    file: (db) => appendCopy(db, (id) => id),
  },
  {
    check: "receipts for one key disagree",
    counted: "duplicated",
    journal(lines) {
      const receipt = lines[first(lines, ([word]) => word === "receipt")] ?? [];
      return [...lines, receipt.with(6, Number(receipt[6]) + 1)];
    },
  },
  {
    check: "an entry is stored that nobody sent",
    counted: "duplicated",
    file: (db) => appendCopy(db, () => "unheard-of"),
  },
  {
    check: "an entry was delivered twice in one session",
    counted: "duplicated",
    journal: (lines) => [...lines, lines[first(lines, ([word]) => word === "delivered")] ?? []],
  },
  {
    check: "an entry was delivered to somebody it is not for, its author or a stranger",
    counted: "duplicated",
    journal: (lines) => changed(lines, "delivered", 1, "stranger"),
  },
  {
    check: "a position is behind what was acked in the end",
    counted: "duplicated",
    file: (db) => db.exec("UPDATE channels SET provider_position = 0"),
  },
  {
    check: "a message was handled twice by the package's client",
    counted: "duplicated",
    journal: (lines) => [...lines, lines[first(lines, ([word]) => word === "handled")] ?? []],
  },
  {
    check: "an agent's entries are stored in another order than it sent them",
    counted: "misordered",
    // Its two peers have their turns, so that the third message goes where the first one went.
    journal(lines) {
      const sends = (line: Line) => line[0] === "sent" && line[1] === "quin";
      const [one, , third] = lines.filter(sends);
      if (one === undefined || third === undefined) return undefined;
      return lines.with(lines.indexOf(one), third).with(lines.indexOf(third), one);
    },
  },
  {
    check: "entries of a channel were delivered in another order than stored",
    counted: "misordered",
    journal: (lines) => swapped(lines, "delivered", 4),
  },
  {
    check: "messages of a channel were handled in another order than stored",
    counted: "misordered",
    journal: (lines) => swapped(lines, "handled", 3),
  },
  {
    check: "the seqs of a channel are not 1, 2, 3 up to its end",
    counted: "gaps",
    file: (db) => db.exec(`DELETE FROM entry_blocks WHERE id = (${AMID})`),
  },
  {
    check: "a session left entries out between two it delivered",
    counted: "gaps",
    journal(lines) {
      const place = (line: Line) => (line[0] === "delivered" ? line.slice(1, 4).join() : undefined);
      const like = (line: Line) => lines.filter((other) => place(other) === place(line));
      const index = first(lines, (line) => line[0] === "delivered" && like(line).length > 2);
      return lines.toSpliced(lines.indexOf(like(lines[index] ?? [])[1] ?? []), 1);
    },
  },
  {
    check: "a session began a channel beyond the first entry that was not acked",
    counted: "gaps",
    // Of a session that was sent more of the channel: a kill may have come right after the first.
    journal: (lines) =>
      without(
        lines,
        (line) =>
          line[0] === "delivered" &&
          line[4] === 1 &&
          lines.filter((other) => other.slice(0, 4).join() === line.slice(0, 4).join()).length > 1,
      ),
  },
];

/** Tampers with a folder that a run has left. */
export function tamper(folder: string, { journal, file }: Tampering): void {
  if (file !== undefined) {
    const db = new DatabaseSync(join(folder, "hub.db"));
    db.exec(SINGLE_ROWS);
    file(db);
    db.close();
  }
  if (journal === undefined) return;
  for (const name of ["journal-0.jsonl", "journal-1.jsonl"]) {
    const path = join(folder, name);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const tampered = journal(lines.map((line) => JSON.parse(line)));
    if (tampered === undefined) continue;
    writeFileSync(path, `${tampered.map((line) => JSON.stringify(line)).join("\n")}\n`);
    return;
  }
}
