import { styleText } from "node:util";
import type { IncomingEntry } from "../client/incoming.js";
import { printable } from "./printable.js";

/** An entry's fields for a JSON line, with the name its frame has in the proto. */
export function entryFields(entry: IncomingEntry): object {
  const { kind, ...fields } = entry;
  return { frame: `chat_${kind}`, ...fields };
}

/** One entry as one harmless line. */
export function entryLine(entry: IncomingEntry): string {
  const place = styleText("dim", `${printable(entry.channelId)} #${entry.seq}`);
  const { who, does, words, code } = sayingOf(entry);
  const by = styleText("bold", printable(who));
  const why = code === undefined ? "" : ` (${printable(code)})`;
  const said = words === "" ? "" : `: ${printable(words)}`;
  return `${clock(entry.timestamp)}  ${place}  ${by} ${does}${why}${said}`;
}

interface Saying {
  who: string;
  does: string;
  words: string;
  code?: string | undefined;
}

function sayingOf(entry: IncomingEntry): Saying {
  switch (entry.kind) {
    case "request": {
      const about = entry.serviceId === "" ? "a chat" : printable(entry.serviceId);
      return { who: entry.consumerId, does: `asks for ${about}`, words: entry.content };
    }
    case "accept":
      return { who: entry.providerId, does: "accepts", words: entry.content };
    case "reject":
      return { who: entry.providerId, does: "rejects", words: entry.reason, code: entry.code };
    case "message":
      return { who: entry.senderId, does: "says", words: saidOf(entry) };
    case "end":
      return {
        // Nobody's name: an admin had the hub end it (C7).
        who: entry.endedBy || "the hub",
        ...{ does: "ends the chat", words: entry.reason, code: entry.code },
      };
    default:
      return entry satisfies never;
  }
}

/** What a message says, with its media type, and its bytes counted. */
export function saidOf(message: {
  content: string;
  contentType: string;
  data: Uint8Array;
}): string {
  const type = message.contentType ? `[${message.contentType}] ` : "";
  const bytes = message.data.length === 0 ? "" : `(${message.data.length} bytes)`;
  return type + [message.content, bytes].filter((part) => part !== "").join(" ");
}

/** A time of day for people, in the local time zone; the date too where it is another day. */
export function clock(at: Date): string {
  const time = at.toTimeString().slice(0, 8);
  if (at.toDateString() === new Date().toDateString()) return time;
  const month = String(at.getMonth() + 1).padStart(2, "0");
  return `${at.getFullYear()}-${month}-${String(at.getDate()).padStart(2, "0")} ${time}`;
}
