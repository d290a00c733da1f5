import type { IncomingEntry, Receipt, TracedFrame } from "claw-chat-hub";

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
  /** The words it spoke, in their order; each is spoken once. */
  said: string[];
  /** Entries in the order in which they were handled. */
  handled: Handled[];
  /** Of each session, the seqs that the hub delivered in it, in their order. */
  sessions: number[][];
  /** Receipts by the words that were sent. */
  receipts: { words: string; channelId: string; seq: number }[];
  /** The words of the history's messages, once it was read at the end. */
  history: string[] | undefined;
}

export function newJournal(agentId: string): Journal {
  return { agentId, said: [], handled: [], sessions: [], receipts: [], history: undefined };
}

/** A handler was given an entry with these words. */
export function noteHandled(
  journal: Journal,
  { channelId, seq, kind }: Pick<IncomingEntry, "channelId" | "seq" | "kind">,
  words: string,
): void {
  journal.handled.push({ channelId, seq, kind, words });
}

/** Notes the words when they are spoken, and their receipt when it comes. */
export async function noteSaid(
  journal: Journal,
  words: string,
  say: () => Promise<Receipt>,
): Promise<Receipt> {
  journal.said.push(words);
  const receipt = await say();
  journal.receipts.push({ words, channelId: receipt.channelId, seq: receipt.seq });
  return receipt;
}

/** Notes what the hub delivers, whatever the client makes of it. */
export function traceInto(journal: Journal): (frame: TracedFrame) => void {
  return ({ response }) => {
    const frame = response?.frame;
    switch (frame?.$case) {
      case "sessionStarted":
        journal.sessions.push([]);
        return;
      case "chatRequest":
      case "chatAccept":
      case "chatReject":
      case "chatMessage":
      case "chatEnd":
        journal.sessions.at(-1)?.push(Number(frame.value.seq));
    }
  };
}
