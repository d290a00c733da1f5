import { DatabaseSync } from "node:sqlite";
import type { Outcome } from "./conversation.ts";
import type { Journal } from "./journal.ts";

/** What can go wrong with an entry. */
export type Fault = "lost" | "duplicated" | "misordered" | "gaps" | "broken";

/** One promise that was not kept in one conversation. */
export interface Violation {
  fault: Fault;
  text: string;
}

interface Row {
  seq: number;
  kind: number;
  author: string;
  body: Uint8Array;
}

interface Channel {
  id: number;
  channel_id: string;
  last_seq: number;
  provider_position: number;
  consumer_position: number;
}

const KIND_NAMES = ["", "request", "accept", "reject", "message", "end"];

/** Reads a stopped hub's file, with other code than the hub's. */
export interface Checker {
  /** Compares what both clients saw with what is stored. */
  check(outcome: Outcome): Violation[];
  close(): void;
}

export function openChecker(dbPath: string): Checker {
  const db = new DatabaseSync(dbPath, { readOnly: true });
  const channels = db.prepare(
    `SELECT id, channel_id, last_seq, provider_position, consumer_position
     FROM channels WHERE provider_id = ? AND consumer_id = ?`,
  );
  const entries = db.prepare(
    "SELECT seq, kind, author, body FROM entries WHERE channel = ? ORDER BY seq",
  );
  return {
    check(outcome) {
      const { provider, consumer } = outcome;
      const { trouble } = outcome;
      const found = channels.all(provider.agentId, consumer.agentId) as unknown as Channel[];
      const [channel] = found;
      if (channel === undefined && trouble !== undefined) return [fault("broken", trouble)];
      if (channel === undefined) return [fault("lost", "the channel is not in the file")];
      if (found.length > 1)
        return [fault("duplicated", `${found.length} channels for one request`)];
      const rows = entries.all(channel.id) as unknown as Row[];
      const spoken = [...provider.said, ...consumer.said];
      return [
        ...(trouble === undefined ? [] : [fault("broken", trouble)]),
        ...checkLog(rows, channel, outcome),
        ...checkReader(provider, rows, channel.provider_position, spoken),
        ...checkReader(consumer, rows, channel.consumer_position, spoken),
        ...[provider, consumer].flatMap((journal) => checkReceipts(journal, rows, channel)),
      ];
    },
    close: () => db.close(),
  };
}

/** The log holds exactly what was said: each once, in each speaker's order, without a gap. */
function checkLog(rows: Row[], channel: Channel, outcome: Outcome): Violation[] {
  const { provider, consumer, trouble } = outcome;
  const violations: Violation[] = [];
  rows.forEach(({ seq }, index) => {
    if (seq !== index + 1) violations.push(fault("gaps", `seq ${seq} at place ${index + 1}`));
  });
  if (channel.last_seq !== rows.length) {
    violations.push(fault("gaps", `last_seq ${channel.last_seq} of ${rows.length} entries`));
  }
  for (const { agentId, said } of [provider, consumer]) {
    const stored = rows.filter((row) => row.author === agentId).map((row) => wordsIn(row, said));
    // Where the conversation did not come to its end, not everything was stored.
    const due = trouble === undefined ? said : said.slice(0, stored.length);
    violations.push(...compare(`${agentId} in the log`, due, stored));
  }
  return violations;
}

/** The reader handled each entry of the other once, in order, and its position is not ahead. */
function checkReader(
  journal: Journal,
  rows: Row[],
  position: number,
  spoken: string[],
): Violation[] {
  const { agentId, handled, sessions, history } = journal;
  const others = rows.filter((row) => row.author !== agentId).map((row) => row.seq);
  const violations = compare(
    `${agentId} handled`,
    others.map(String),
    handled.map(({ seq }) => String(seq)),
  );
  for (const { seq, kind, words } of handled) {
    const row = rows.find((one) => one.seq === seq);
    if (row === undefined || KIND_NAMES[row.kind] !== kind || wordsIn(row, [words]) !== words) {
      violations.push(fault("lost", `${agentId} was given another entry at seq ${seq}`));
    }
  }
  // Within a session the hub's deliveries follow one another in the log (D1).
  for (const [index, seqs] of sessions.entries()) {
    const from = others.indexOf(seqs[0] ?? 0);
    const expected = others.slice(Math.max(from, 0)).slice(0, seqs.length);
    violations.push(
      ...compare(`${agentId} in its session ${index + 1}`, expected.map(String), seqs.map(String)),
    );
  }
  const firstUnhandled = others.find((seq) => !handled.some((one) => one.seq === seq));
  if (position >= (firstUnhandled ?? Infinity) || position > rows.length) {
    violations.push(fault("lost", `${agentId} is taken to have handled ${position}`));
  }
  // Read only at the end of a whole conversation.
  if (history !== undefined) {
    const messages = rows.filter((row) => KIND_NAMES[row.kind] === "message");
    const stored = messages.map((row) => wordsIn(row, spoken));
    violations.push(...compare(`${agentId} in the history`, stored, history));
  }
  return violations;
}

/** A receipt names the place where the entry is. */
function checkReceipts(journal: Journal, rows: Row[], channel: Channel): Violation[] {
  return journal.receipts.flatMap(({ words, channelId, seq }) => {
    const row = rows.find((one) => one.seq === seq);
    const right = row?.author === journal.agentId && wordsIn(row, [words]) === words;
    if (right && channelId === channel.channel_id) return [];
    return [
      fault("lost", `${journal.agentId} has a receipt of "${words}" at seq ${seq}: not there`),
    ];
  });
}

/** How two lists that should be equal differ. */
function compare(where: string, expected: string[], actual: string[]): Violation[] {
  const violations: Violation[] = [];
  for (const one of new Set([...expected, ...actual])) {
    const wanted = expected.filter((other) => other === one).length;
    const got = actual.filter((other) => other === one).length;
    if (got < wanted) violations.push(fault("lost", `${where}: "${one}" is missing`));
    if (got > wanted) violations.push(fault("duplicated", `${where}: "${one}" comes ${got} times`));
  }
  if (violations.length === 0 && expected.some((one, index) => actual[index] !== one)) {
    violations.push(fault("misordered", `${where}: ${actual.join(", ")}`));
  }
  return violations;
}

/** Which of the words the stored bytes hold: the longest, as some begin like others. */
function wordsIn(row: Row, words: string[]): string {
  const body = Buffer.from(row.body);
  const found = words.filter((one) => body.includes(one));
  return found.sort((one, other) => other.length - one.length)[0] ?? `entry ${row.seq}`;
}

function fault(kind: Fault, text: string): Violation {
  return { fault: kind, text };
}
