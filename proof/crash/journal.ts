import { closeSync, openSync, writeSync } from "node:fs";

/** One line of a journal: what it is, whose it is, and what belongs to it. */
export type JournalLine =
  | ["agent", agent: string, client: "bare" | "package"]
  | ["session", agent: string, session: number, epoch: string]
  | ["sent", agent: string, session: number, kind: string, key: string, print: string]
  | [
      what: "receipt",
      agent: string,
      session: number,
      kind: string,
      key: string,
      channel: string,
      seq: number,
      duplicate: boolean,
    ]
  | [
      what: "refused",
      agent: string,
      session: number,
      kind: string,
      key: string,
      reason: string,
      retryable: boolean,
    ]
  | [
      what: "delivered",
      agent: string,
      session: number,
      channel: string,
      seq: number,
      kind: string,
      key: string,
      speaker: string,
      print: string,
      replayed: boolean,
    ]
  | ["acked", agent: string, session: number, channel: string, seq: number]
  | ["handled", agent: string, channel: string, seq: number]
  | ["failed", agent: string, what: string];

/** A file of what one process of clients saw, in the order in which it saw it. */
export interface Journal {
  note(line: JournalLine): void;
  /** Writes what is still in memory, and closes the file. */
  close(): void;
}

const CHUNK_CHARS = 256 * 1024;

/** Begins a journal; the file is made. */
export function openJournal(path: string): Journal {
  const file = openSync(path, "wx");
  let waiting: string[] = [];
  let chars = 0;
  const flush = () => {
    if (waiting.length > 0) writeSync(file, `${waiting.join("\n")}\n`);
    waiting = [];
    chars = 0;
  };
  return {
    note(line) {
      const text = JSON.stringify(line);
      waiting.push(text);
      chars += text.length;
      if (chars > CHUNK_CHARS) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}
