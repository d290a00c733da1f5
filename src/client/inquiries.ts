import { durationMsOf } from "../protocol/time.js";
import { type ChatError, ChatMessage, type ConnectRequest } from "../protocol/wire.js";
import { couldNotStore } from "./errors.js";

/** No channel has this name, so nothing that names it is ever stored. */
const NOWHERE = "?";
/** How long to wait where the hub cannot even look, and does not say. */
const ASK_AGAIN_MS = 1_000;

/** Asks the hub which messages it has stored, without storing any (M2). */
export interface Inquiries {
  /** Answers are still to come. */
  readonly pending: boolean;
  /** Asks about a message as soon as the link takes it; once, until it was told or forgotten. */
  ask(requestId: string, messageId: string): void;
  /** Sends what waits, as far as the link takes it. */
  pump(): void;
  /** An error has come. @returns false where it is no answer to a question */
  refused(requestId: string, error: ChatError): boolean;
  /** The session is over: forgets everything. */
  clear(): void;
}

/**
 * The question is another message under the same id: the hub looks the id up first, and refuses it
 * with MESSAGE_ID_REUSED where it has one, and otherwise because the channel is not there.
 * @param told called once about each, in their order unless the hub could not look
 */
export function createInquiries(
  link: { readonly writable: boolean; send(request: ConnectRequest): void },
  told: (requestId: string, stored: boolean) => void,
): Inquiries {
  /** By the id of the question: the request it is about. */
  const open = new Map<string, { requestId: string; messageId: string }>();
  const unasked = new Set<string>();
  let resting: NodeJS.Timeout | undefined;

  function pump(): void {
    if (resting !== undefined) return;
    for (const questionId of unasked) {
      if (!link.writable) return;
      unasked.delete(questionId);
      link.send(question(questionId, open.get(questionId)?.messageId ?? ""));
    }
  }

  function clear(): void {
    open.clear();
    unasked.clear();
    clearTimeout(resting);
    resting = undefined;
  }

  return {
    get pending() {
      return open.size > 0;
    },
    ask(requestId, messageId) {
      const questionId = `${requestId}?`;
      if (open.has(questionId)) return;
      open.set(questionId, { requestId, messageId });
      unasked.add(questionId);
      pump();
    },
    pump,
    refused(questionId, error) {
      const about = open.get(questionId);
      if (about === undefined) return false;
      if (couldNotStore(error)) {
        unasked.add(questionId);
        resting ??= setTimeout(() => {
          resting = undefined;
          pump();
        }, durationMsOf(error.retryAfter) ?? ASK_AGAIN_MS);
        return true;
      }
      open.delete(questionId);
      told(about.requestId, error.reason === "MESSAGE_ID_REUSED");
      return true;
    },
    clear,
  };
}

function question(requestId: string, messageId: string): ConnectRequest {
  const value = ChatMessage.fromPartial({ channelId: NOWHERE, messageId, content: NOWHERE });
  const frame = { $case: "chatMessage" as const, value };
  return { requestId, acks: [], heartbeat: false, setAside: [], frame };
}
