import type { TracedFrame } from "claw-chat-hub";

/** An entry as a client's handler was given it. */
export interface Handled {
  channelId: string;
  seq: number;
  kind: string;
  words: string;
}

/** What one client saw and did. */
export interface Journal {
  agentId: string;
  /** Entries in the order in which they were handled. */
  handled: Handled[];
  /** Of each session, the seqs that the hub delivered in it, in their order. */
  sessions: number[][];
  /** Receipts by the words that were sent. */
  receipts: { words: string; channelId: string; seq: number }[];
  /** The words of the history's messages, as it was read at the end. */
  history: string[];
}

export function newJournal(agentId: string): Journal {
  return { agentId, handled: [], sessions: [], receipts: [], history: [] };
}

/** Notes what the hub delivers, whatever the client makes of it. */
export function traceInto(journal: Journal): (frame: TracedFrame) => void {
  return ({ response }) => {
    const frame = response?.frame;
    if (frame?.$case === "sessionStarted") journal.sessions.push([]);
    switch (frame?.$case) {
      case "chatRequest":
      case "chatAccept":
      case "chatReject":
      case "chatMessage":
      case "chatEnd":
        journal.sessions.at(-1)?.push(Number(frame.value.seq));
    }
  };
}
