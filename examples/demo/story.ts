import { isDeepStrictEqual } from "node:util";
import { type Fields, type Journal, SERVICE, type Seen } from "./journal.ts";
import type { Narrator } from "./narrator.ts";

const PROVIDER = "weather-provider";

/** An entry that reached its reader. */
interface Followed {
  /** The frame as delivered, with the fields that the hub sets. */
  fields: Fields;
  /** How long the author waited for the receipt. */
  receiptMs: number;
}

/** Tells each step once its frames have really travelled; fails where the hub broke its word. */
export function storyteller(journal: Journal, tell: Narrator) {
  let openChannel: unknown;
  const said: Fields[] = [];

  /** Follows one entry from its author to the hub's receipt and to its reader. */
  async function follow(frame: string, from: string, to: string): Promise<Followed> {
    const sent = await journal.take(
      (seen) => seen.agent === from && seen.direction === "sent" && seen.frame === frame,
    );
    const stored = await journal.take(
      (seen) => seen.agent === from && receiptFor(sent, seen) !== undefined,
    );
    const receipt = receiptFor(sent, stored) ?? {};
    const { fields } = await journal.take(
      (seen) => seen.agent === to && seen.direction === "received" && seen.frame === frame,
    );
    tell.frame({ frame, from, to, fields });
    insist(
      fields.channel_id === receipt.channel_id && fields.seq === receipt.seq,
      `the receipt and the delivery of a ${frame} name the same place`,
    );
    return { fields, receiptMs: stored.atMs - sent.atMs };
  }

  return {
    async offered(hub: { address: string; db: string }): Promise<void> {
      tell.headline("A hub starts, and a provider offers its service");
      tell.fact(`the hub listens on ${hub.address} and stores in ${hub.db}`);
      const { fields } = await journal.take((seen) => seen.frame === SERVICE);
      openChannel = fields.open_channel_id;
      tell.fact(`${PROVIDER} offers “${fields.service_id}”: ${fields.description}`);
      tell.promise(`its next consumer will get the channel ${openChannel}`);
    },

    async rejected(consumer: string): Promise<void> {
      tell.headline("A consumer asks for a chat, and the provider says no");
      const { fields, receiptMs } = await follow("chat_request", consumer, PROVIDER);
      await follow("chat_reject", PROVIDER, consumer);
      insist(fields.channel_id === openChannel, "the request took the service's open channel");
      tell.kept(`the request took the channel that was open, ${openChannel}`);
      tell.promise(`its receipt, after ${receiptMs.toFixed(1)} ms, means: on disk, and synced`);
    },

    async accepted(consumer: string): Promise<void> {
      tell.headline("Another consumer asks, and the provider agrees");
      const { fields } = await follow("chat_request", consumer, PROVIDER);
      await follow("chat_accept", PROVIDER, consumer);
      insist(fields.channel_id !== openChannel, "two consumers have two channels");
      tell.kept(`a channel of its own, ${fields.channel_id}`);
      tell.promise("nobody but these two can read it, or learn that it exists");
    },

    async talked(consumer: string, questions: number): Promise<void> {
      tell.headline("Messages, both ways");
      for (let asked = 0; asked < questions; asked += 1) {
        const question = await follow("chat_message", consumer, PROVIDER);
        const reply = await follow("chat_message", PROVIDER, consumer);
        insist(
          reply.fields.reply_to === question.fields.message_id,
          "a reply names the message it answers",
        );
        said.push(question.fields, reply.fields);
      }
      const seqs = said.map(({ seq }) => Number(seq));
      insist(
        seqs.every((seq, place) => place === 0 || seq === (seqs[place - 1] ?? 0) + 1),
        "places in a channel have no gaps",
      );
      tell.kept(`places ${seqs.join(", ")}: no gap, and each reply names its question`);
      tell.promise("a message sent again under its message_id is stored once");
    },

    async ended(consumer: string): Promise<void> {
      tell.headline("The consumer ends the chat");
      await follow("chat_end", consumer, PROVIDER);
      tell.promise("over for both: nothing more is stored in it, and what was said stays");
    },

    async readAgain(consumer: string): Promise<void> {
      tell.headline("The history, read after the end");
      const ours = (seen: Seen) => seen.agent === consumer && seen.frame === "chat_history";
      const asked = await journal.take((seen) => ours(seen) && seen.direction === "sent");
      tell.frame({ frame: "chat_history", from: consumer, to: "hub", fields: asked.fields });
      const page = await journal.take((seen) => ours(seen) && seen.direction === "received");
      tell.frame({ frame: "chat_history", from: "hub", to: consumer, fields: page.fields });
      const messages = (page.fields.messages ?? []) as Fields[];
      for (const { seq, sender_id, content } of messages) {
        tell.fact(`  #${seq}  ${String(sender_id).padEnd(PROVIDER.length)}  ${content}`);
      }
      insist(isDeepStrictEqual(messages, said), "the history holds what was delivered");
      tell.kept("every message, at the place where it was delivered, to the last byte");
    },

    /** Nothing travelled that was not told. */
    complete(): void {
      const untold = journal.untold().filter((seen) => seen.direction === "received");
      insist(untold.length === 0, `nothing else travelled, yet there was ${untold[0]?.frame}`);
    },
  };
}

function receiptFor(sent: Seen, seen: Seen): Fields | undefined {
  return seen.receipts.find((receipt) => receipt.request_id === sent.requestId);
}

function insist(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`a promise was broken: ${promise}`);
}
