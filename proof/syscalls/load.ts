import type { Random } from "../support/random.ts";
import { type Delivery, openSession, type Session } from "./session.ts";

/** How much is said. */
export interface LoadOptions {
  /** Messages in all, besides the requests, accepts and ends of the chats. */
  messages: number;
  /** Chats at a time, each of two agents that both talk. */
  chats: number;
  /** Messages of one agent that wait for their receipts at a time. */
  window: number;
  /** Bytes of one message, at most. */
  maxContentBytes: number;
  random: Random;
  /** Tells its agents and entries from those of another run, 0 to 9. */
  run: number;
  /** Whether deliveries are acked. */
  acks: boolean;
  /** Gets what is said before it is sent. */
  said: Said;
}

/**
 * What was said: each entry's text by its token, which is also its request id and, where it has
 * one, its key. The token is what the text begins with.
 */
export type Said = Map<string, string>;

const TOKEN = /entry-[0-9a-f]{8}/g;

/** The tokens that stand in some text. */
export function tokensIn(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** How long a chat may take before it says what it still waits for. */
const PATIENCE_MS = 240_000;

/** Runs whole chats and resolves when every entry has its receipt and has been delivered. */
export async function runLoad(address: string, options: LoadOptions): Promise<void> {
  const { messages, chats, random, maxContentBytes, run, said } = options;
  let chosen = 0;
  const say = (maxBytes: number) => {
    chosen += 1;
    const token = `entry-${run}${chosen.toString(16).padStart(7, "0")}`;
    const bytes = random.int(token.length, Math.max(token.length, maxBytes));
    const text = `${token} `.repeat(Math.ceil(bytes / token.length)).slice(0, bytes);
    said.set(token, text);
    return { token, text };
  };
  const each = Array.from({ length: chats }, (_, chat) => {
    const share = Math.floor(messages / chats) + (chat < messages % chats ? 1 : 0);
    return runChat(address, chat, {
      ...options,
      share,
      short: () => say(200),
      long: () => say(maxContentBytes),
    });
  });
  await Promise.all(each);
}

/**
 * Opens sessions for the agents of a run that broke off, which are sent what they have not handled,
 * and ack nothing: a hub that syncs because it is written to would prove nothing.
 * @returns when the first entry has come: closes them
 */
export async function listenAgain(address: string, { run, chats }: { run: number; chats: number }) {
  const first = Promise.withResolvers<void>();
  const of = { deliver: () => first.resolve(), fail: first.reject, acks: false };
  const sessions = Array.from({ length: chats }, (_, chat) =>
    agentsOf(run, chat).map((agentId) => openSession(address, agentId, of)),
  );
  await first.promise;
  return () => {
    for (const session of sessions.flat()) session.close();
  };
}

/** The two agents of a chat, the provider first. */
function agentsOf(run: number, chat: number): [string, string] {
  return [`provider-${run}-${chat}`, `consumer-${run}-${chat}`];
}

interface Words {
  token: string;
  text: string;
}

interface ChatOptions extends LoadOptions {
  share: number;
  short(): Words;
  long(): Words;
}

/** One chat: asked for, accepted, talked in by both, ended. */
async function runChat(address: string, chat: number, options: ChatOptions): Promise<void> {
  const { share, short, run, acks } = options;
  const [providerId, consumerId] = agentsOf(run, chat);
  const accepted = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  // Heard where something waits for it; a failure that nothing waits for shows in the others.
  over.promise.catch(() => {});
  let heard = 0;
  const hear = ({ $case }: Delivery) => {
    heard += 1;
    if ($case === "chatAccept") accepted.resolve();
    // The request, the accept and the end, each delivered to the other of the two.
    if (heard === share + 3) over.resolve();
  };
  const late = setTimeout(() => {
    over.reject(new Error(`chat ${chat}: ${heard} of ${share + 3} entries were delivered`));
  }, PATIENCE_MS);
  const accept = (delivery: Delivery) => {
    hear(delivery);
    if (delivery.$case !== "chatRequest") return;
    const { token, text } = short();
    const { channelId } = delivery.value;
    const value = { channelId, content: text };
    provider.store(token, { $case: "chatAccept", value }).catch(over.reject);
  };
  const fail = over.reject;
  const provider = openSession(address, providerId, { deliver: accept, fail, acks });
  const consumer = openSession(address, consumerId, { deliver: hear, fail, acks });
  try {
    const asked = short();
    const { channelId } = await consumer.store(asked.token, {
      $case: "chatRequest",
      value: { providerId, idempotencyKey: asked.token, content: asked.text },
    });
    await Promise.race([accepted.promise, over.promise]);
    const half = Math.floor(share / 2);
    const talked = [
      talk(consumer, channelId, share - half, options),
      talk(provider, channelId, half, options),
    ];
    await Promise.race([Promise.all(talked), over.promise.then(() => Promise.all(talked))]);
    const { token, text } = short();
    await consumer.store(token, { $case: "chatEnd", value: { channelId, reason: text } });
    await over.promise;
  } finally {
    clearTimeout(late);
    consumer.close();
    provider.close();
  }
}

/** Says so many messages, `window` of them at a time. */
async function talk(
  session: Session,
  channelId: string,
  count: number,
  { window, long }: ChatOptions,
): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const { token, text } = long();
      const value = { channelId, messageId: token, content: text };
      await session.store(token, { $case: "chatMessage", value });
    }
  };
  await Promise.all(Array.from({ length: window }, worker));
}
