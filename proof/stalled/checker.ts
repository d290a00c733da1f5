import { DatabaseSync } from "node:sqlite";
import type { Mode, SessionLog } from "./words.ts";

/** Entries that did not arrive as they should have. */
export interface Faults {
  lost: number;
  duplicated: number;
  misordered: number;
  gaps: number;
  /** One sentence for each kind of fault of each reader. */
  sentences: string[];
}

/** A reader that was stalled, and what it was delivered. */
export interface StalledReader {
  agentId: string;
  mode: Mode;
  channelId: string;
  sessions: SessionLog[];
}

/**
 * Compares what each reader was delivered with what a stopped hub's file holds: within a session
 * the entries follow one another, over all sessions none is missing. Where an auto session was cut
 * off, what was on its way then may be missing (D2).
 */
export function checkReaders(dbPath: string, readers: StalledReader[]): Faults {
  const db = new DatabaseSync(dbPath, { readOnly: true });
  const stored = db.prepare(
    `SELECT seq FROM entries WHERE author <> ?
      AND channel = (SELECT id FROM channels WHERE channel_id = ?) ORDER BY seq`,
  );
  const faults: Faults = { lost: 0, duplicated: 0, misordered: 0, gaps: 0, sentences: [] };
  for (const { agentId, mode, channelId, sessions } of readers) {
    const seqs = stored.all(agentId, channelId).map((row) => Number(row.seq));
    const place = new Map(seqs.map((seq, index) => [seq, index]));
    const delivered = new Set(sessions.flat());
    const add = (fault: "lost" | "duplicated" | "misordered" | "gaps", count: number) => {
      faults[fault] += count;
      const where = `${agentId} (${mode}, ${sessions.length} sessions of ${seqs.length} entries)`;
      if (count > 0) faults.sentences.push(`${fault}: ${count} of ${where}`);
    };
    const missing = seqs.filter((seq) => !delivered.has(seq));
    const cutOff = mode === "auto" && sessions.length > 1;
    add("lost", seqs.length === 0 ? 1 : cutOff ? 0 : missing.length);
    add("gaps", seqs.filter((seq, index) => seq !== index + 1).length);
    for (const log of sessions) {
      add("duplicated", log.length - new Set(log).size);
      const steps = log.slice(1).map((seq, index) => {
        return (place.get(seq) ?? NaN) - (place.get(log[index] ?? 0) ?? NaN);
      });
      add("misordered", steps.filter((step) => !(step > 0)).length);
      add("gaps", steps.filter((step) => step > 1).length);
    }
  }
  db.close();
  return faults;
}
