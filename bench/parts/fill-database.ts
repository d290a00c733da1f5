import { ChannelState, ChatMessage } from "claw-chat-hub/protocol";
import { openSqliteStore } from "claw-chat-hub/store/sqlite";
import { uuidv7 } from "uuidv7";
import { contentOf, writeHex } from "../load/requests.ts";
import { type StoredChat, storedChat, waitingChat } from "../load/stored-chats.ts";

/** Messages that a chat gets in one go: chats grow side by side, as they do in a hub. */
const RUN = 20;
/** Messages in one transaction. */
const BATCH = 50_000;

type Store = Awaited<ReturnType<typeof openSqliteStore>>;
type Transaction = Parameters<Parameters<Store["transaction"]>[0]>[0];
type Entry = Parameters<Transaction["append"]>[0][number];

/**
 * Fills a hub's database through the hub's own store, which has not to be running: the same rows
 * and indexes as if the messages had been sent, without the time of sending them.
 * @param of.db the file, which a hub has made
 * @param of.chats chats whose messages are all handled
 * @param of.waiting chats whose messages wait for their receivers
 * @param of.messages in each chat
 */
export async function fillDatabase(of: {
  db: string;
  chats: number;
  waiting: number;
  messages: number;
  sizeBytes: number;
  say(sentence: string): void;
}): Promise<void> {
  const handled = Array.from({ length: of.chats }, (_, number) => storedChat(number));
  const waiting = Array.from({ length: of.waiting }, (_, index) => waitingChat(index));
  const waits = new Set(waiting);
  const chats = [...handled, ...waiting];
  const contents = new Map(chats.map((chat) => [chat, contentOf(chat.number, of.sizeBytes)]));
  const chatsInBatch = Math.floor(BATCH / RUN);
  const store = await openSqliteStore({ path: of.db });
  try {
    for (let stored = 0; stored < of.messages; stored += RUN) {
      const end = Math.min(of.messages, stored + RUN);
      for (let first = 0; first < chats.length; first += chatsInBatch) {
        await store.transaction(async (tx) => {
          for (const chat of chats.slice(first, first + chatsInBatch)) {
            await tx.putChannel(channelOf(chat, end, waits.has(chat)));
            const content = contents.get(chat) ?? Buffer.alloc(0);
            await tx.append(entriesOf(chat, content, stored, end));
          }
        });
      }
      of.say(`  ${(end * chats.length).toLocaleString("en")} messages are stored`);
    }
  } finally {
    await store.close();
  }
}

function entriesOf(chat: StoredChat, content: Buffer, from: number, to: number): Entry[] {
  const { channelId, sender } = chat;
  return Array.from({ length: to - from }, (_, index) => {
    const seq = from + index + 1;
    writeHex(content, 0, seq - 1);
    const messageId = uuidv7();
    const message = ChatMessage.fromPartial({
      ...{ messageId, channelId, senderId: sender, content: content.toString("latin1") },
      ...{ seq: BigInt(seq), timestamp: { seconds: BigInt(STORED_AT_MS / 1000) } },
    });
    return {
      ...{ channelId, seq, kind: "chatMessage", author: sender, key: messageId },
      ...{ addressedByChannel: true, storedAtMs: STORED_AT_MS },
      body: ChatMessage.encode(message).finish(),
    };
  });
}

/** Any time in whole seconds. */
const STORED_AT_MS = 1_790_000_000_000;

function channelOf({ channelId, sender, receiver }: StoredChat, lastSeq: number, waits: boolean) {
  return {
    ...{ channelId, serviceId: "", providerId: receiver, consumerId: sender, lastSeq },
    state: ChannelState.CHANNEL_STATE_ACTIVE,
    ...{ createdAtMs: STORED_AT_MS, requestedAtMs: 0, timeoutMs: 0, answerSeq: 0, endSeq: 0 },
    ...{ closedAtMs: 0, reason: "", rejectCode: 0, endCode: 0 },
    provider: { position: waits ? 0 : lastSeq, due: lastSeq },
    consumer: { position: lastSeq, due: 0 },
  };
}
