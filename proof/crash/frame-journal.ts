import type { ConnectRequest, ConnectResponse } from "claw-chat-hub/protocol";
import { entryFrameOf, keyOf, printOf, speakerOf } from "./entry-print.ts";
import type { Journal } from "./journal.ts";

/** Notes what travels between one agent and the hub, as it travels. */
export interface FrameJournal {
  sent(request: ConnectRequest): void;
  received(response: ConnectResponse): void;
}

/** No channel has this name: a message to it only asks whether its id is stored (M2), and never is. */
const NOWHERE = "?";

/** Receipts and refusals name a request only; what it asked for is remembered from its sending. */
export function frameJournal(journal: Journal, agent: string): FrameJournal {
  const asked = new Map<string, { kind: string; key: string }>();
  const questions = new Set<string>();
  let session = 0;
  return {
    sent({ requestId, acks, frame }) {
      for (const { channelId, seq } of acks) {
        journal.note(["acked", agent, session, channelId, Number(seq)]);
      }
      const entry = entryFrameOf(frame);
      if (entry === undefined) return;
      if (entry.$case === "chatMessage" && entry.value.channelId === NOWHERE) {
        questions.add(requestId);
        return;
      }
      const name = { kind: entry.$case, key: keyOf(entry) };
      asked.set(requestId, name);
      journal.note(["sent", agent, session, name.kind, name.key, printOf(entry)]);
    },
    received({ requestId, receipts, replayed, frame }) {
      for (const { requestId: id, channelId, seq, duplicate } of receipts) {
        const { kind, key } = asked.get(id) ?? { kind: "unasked", key: id };
        asked.delete(id);
        journal.note(["receipt", agent, session, kind, key, channelId, Number(seq), duplicate]);
      }
      if (frame?.$case === "sessionStarted") {
        session += 1;
        journal.note(["session", agent, session, frame.value.storeEpoch]);
        return;
      }
      if (frame?.$case === "error") {
        if (questions.delete(requestId)) return;
        const { kind, key } = asked.get(requestId) ?? { kind: "acks", key: "" };
        asked.delete(requestId);
        const { reason, retryable } = frame.value;
        journal.note(["refused", agent, session, kind, key, reason, retryable]);
        return;
      }
      const entry = entryFrameOf(frame);
      if (entry === undefined) return;
      journal.note([
        ...(["delivered", agent, session] as const),
        ...([entry.value.channelId, Number(entry.value.seq)] as const),
        ...([entry.$case, keyOf(entry), speakerOf(entry), printOf(entry), replayed] as const),
      ]);
    },
  };
}
