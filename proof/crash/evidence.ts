import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { type EntryRow, readStored } from "./hub-file.ts";
import type { JournalLine } from "./journal.ts";

/**
 * Everything a checker looks at, as tables of a scratch database. `at` is the place in the
 * journals: of one agent, whose lines are all in one of them, a larger one is later.
 */
const TABLES = `
CREATE TABLE agents (agent TEXT, client TEXT);
CREATE TABLE sessions (at INTEGER, agent TEXT, session INTEGER, epoch TEXT);
CREATE TABLE sent (at INTEGER, agent TEXT, session INTEGER, kind TEXT, key TEXT, print TEXT);
CREATE TABLE receipts (at INTEGER, agent TEXT, session INTEGER, kind TEXT, key TEXT,
  channel TEXT, seq INTEGER, duplicate INTEGER);
CREATE TABLE refused (at INTEGER, agent TEXT, session INTEGER, kind TEXT, key TEXT,
  reason TEXT, retryable INTEGER);
CREATE TABLE delivered (at INTEGER, agent TEXT, session INTEGER, channel TEXT, seq INTEGER,
  kind TEXT, key TEXT, speaker TEXT, print TEXT, replayed INTEGER);
CREATE TABLE acked (at INTEGER, agent TEXT, session INTEGER, channel TEXT, seq INTEGER);
CREATE TABLE handled (at INTEGER, agent TEXT, channel TEXT, seq INTEGER);
CREATE TABLE failed (at INTEGER, agent TEXT, what TEXT);
CREATE TABLE stored (channel TEXT, seq INTEGER, kind TEXT, author TEXT, key TEXT,
  speaker TEXT, print TEXT);
CREATE TABLE channels (channel TEXT, last_seq INTEGER);
CREATE TABLE members (channel TEXT, member TEXT, position INTEGER);
CREATE TABLE faults (what TEXT);
CREATE TABLE file_epoch (epoch TEXT);
`;

/** What is worked out once and asked of often. */
const WORKED_OUT = `
CREATE UNIQUE INDEX stored_by_seq ON stored (channel, seq);
CREATE INDEX stored_by_key ON stored (author, kind, key);
-- What each member is to be sent, in order: all that others wrote. nth counts it.
CREATE TABLE due AS
  SELECT m.member, s.channel, s.seq, s.kind, s.key, s.speaker, s.print,
    row_number() OVER (PARTITION BY m.member, s.channel ORDER BY s.seq) AS nth
  FROM stored s JOIN members m ON m.channel = s.channel AND m.member <> s.author;
CREATE UNIQUE INDEX due_by_seq ON due (member, channel, seq);
CREATE INDEX delivered_by_seq ON delivered (agent, channel, seq);
-- The newest ack of each channel at any time: the hub may have counted it, or an older one.
CREATE TABLE acked_by_then AS
  SELECT agent, channel, at,
    max(seq) OVER (PARTITION BY agent, channel ORDER BY at) AS top FROM acked;
CREATE INDEX acked_by_place ON acked_by_then (agent, channel, at, top);
CREATE TABLE acked_in_the_end AS
  SELECT agent, channel, max(seq) AS top FROM acked GROUP BY agent, channel;
CREATE UNIQUE INDEX acked_by_channel ON acked_in_the_end (agent, channel);
CREATE INDEX sent_by_key ON sent (agent, kind, key, at);
CREATE INDEX refused_by_key ON refused (agent, kind, key, at);
CREATE INDEX handled_by_seq ON handled (agent, channel, seq);
`;

const COLUMNS: Record<JournalLine[0], number> = {
  ...{ agent: 2, session: 3, sent: 5, receipt: 7, refused: 6, delivered: 9 },
  ...{ acked: 4, handled: 3, failed: 2 },
};
const TABLE_OF: Record<JournalLine[0], string> = {
  ...{ agent: "agents", session: "sessions", sent: "sent", receipt: "receipts" },
  ...{ refused: "refused", delivered: "delivered", acked: "acked", handled: "handled" },
  failed: "failed",
};

/** Reads the journals and the hub's file, which no hub may have open, into a scratch database. */
export async function gatherEvidence(of: {
  journals: string[];
  /** The hub's file. */
  db: string;
  /** Where to make the scratch database; it must not exist. */
  scratch: string;
}): Promise<DatabaseSync> {
  const evidence = new DatabaseSync(of.scratch);
  evidence.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY");
  evidence.exec(TABLES);
  evidence.exec("BEGIN");
  await readJournals(evidence, of.journals);
  readHubFile(evidence, of.db);
  evidence.exec("COMMIT");
  evidence.exec(WORKED_OUT);
  return evidence;
}

async function readJournals(evidence: DatabaseSync, journals: string[]): Promise<void> {
  const inserts = new Map(
    Object.entries(COLUMNS).map(([what, columns]) => {
      const place = what === "agent" ? 0 : 1;
      const marks = Array.from({ length: columns + place }, () => "?").join(", ");
      const table = TABLE_OF[what as JournalLine[0]];
      return [what, evidence.prepare(`INSERT INTO ${table} VALUES (${marks})`)];
    }),
  );
  let at = 0;
  for (const journal of journals) {
    for await (const text of createInterface(createReadStream(journal))) {
      const [what, ...values] = JSON.parse(text) as JournalLine;
      const plain = values.map((value) => (typeof value === "boolean" ? Number(value) : value));
      at += 1;
      inserts.get(what)?.run(...(what === "agent" ? plain : [at, ...plain]));
    }
  }
}

function readHubFile(evidence: DatabaseSync, db: string): void {
  const file = new DatabaseSync(db, { readOnly: true });
  const insert = (table: string, columns: number) => {
    const marks = Array.from({ length: columns }, () => "?").join(", ");
    return evidence.prepare(`INSERT INTO ${table} VALUES (${marks})`);
  };
  const fault = insert("faults", 1);
  for (const row of file.prepare("PRAGMA integrity_check").all()) {
    if (row.integrity_check !== "ok") fault.run(`integrity_check: ${row.integrity_check}`);
  }
  for (const row of file.prepare("PRAGMA foreign_key_check").all()) {
    fault.run(`foreign_key_check: ${JSON.stringify(row)}`);
  }
  const epoch = file.prepare("SELECT value FROM meta WHERE name = 'epoch'").get();
  insert("file_epoch", 1).run(String(epoch?.value));
  const channel = insert("channels", 2);
  const member = insert("members", 3);
  const channels = "SELECT * FROM channels";
  for (const row of file.prepare(channels).iterate()) {
    const id = row.channel_id ?? null;
    channel.run(id, row.last_seq ?? null);
    if (row.consumer_id === "") continue;
    member.run(id, row.provider_id ?? null, row.provider_position ?? null);
    member.run(id, row.consumer_id ?? null, row.consumer_position ?? null);
  }
  const stored = insert("stored", 7);
  const entries = `SELECT channels.channel_id, seq, kind, author, key, body
    FROM entries JOIN channels ON channels.id = entries.channel`;
  for (const row of file.prepare(entries).iterate()) {
    const entry = readStored(row as unknown as EntryRow);
    if ("fault" in entry) fault.run(entry.fault);
    else stored.run(...entry.values);
  }
  file.close();
}
