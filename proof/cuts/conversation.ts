import { ChatClient, type IncomingEntry } from "claw-chat-hub";
import { type CutPlace, startCutProxy } from "./cut-proxy.ts";
import { type Journal, newJournal, traceInto } from "./journal.ts";

/** Whose connection goes through the proxy. */
export type Role = "provider" | "consumer";

/** A cut to make in a conversation. */
export interface Cut extends CutPlace {
  role: Role;
}

/** How a conversation went. */
export interface Outcome {
  cut: Cut | undefined;
  /** Of the connection under proof. */
  passed: { sent: number; received: number };
  /** The place was reached, and the connection cut. */
  made: boolean;
  provider: Journal;
  consumer: Journal;
  /** Why it did not come to its end. */
  trouble: string | undefined;
}

/** What is said, in the order of each speaker. */
export const QUESTIONS = ["one?", "two?", "three?", "four?", "five?"];
export const REPLIES = QUESTIONS.map((question) => `${question} yes.`);
export const AFTERTHOUGHTS = ["and six.", "and seven."];
export const REQUEST = "May I ask?";
export const ACCEPT = "You may.";
export const END = "Thank you.";

/** Far more than any of it takes: what is not done by then hangs. */
const PATIENCE_MS = 20_000;

/**
 * Holds the standard conversation, from the registration to the history, between two clients
 * that live through the cut by themselves. Never rejects.
 * @param number makes the names of its agents, all of one length
 */
export async function converse(of: {
  hubAddress: string;
  number: number;
  role: Role;
  cut?: Cut;
}): Promise<Outcome> {
  const { hubAddress, role, cut } = of;
  const name = String(of.number).padStart(6, "0");
  const proxy = await startCutProxy(hubAddress, cut);
  const journals = { provider: newJournal(`p-${name}`), consumer: newJournal(`c-${name}`) };
  const [provider, consumer] = (["provider", "consumer"] as const).map((one) => {
    const journal = journals[one];
    const hubUrl = `grpc://${one === role ? proxy.address : hubAddress}`;
    const onFrame = traceInto(journal);
    return new ChatClient({ hubUrl, agentId: journal.agentId, timeoutMs: PATIENCE_MS, onFrame });
  }) as [ChatClient, ChatClient];
  let trouble: string | undefined;
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`not over after ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([talk(provider, consumer, journals, name), patience]);
  } catch (error) {
    trouble = error instanceof Error ? error.message : String(error);
  }
  clearTimeout(late);
  await Promise.all([provider.disconnect(), consumer.disconnect()]);
  await proxy.stop();
  const { provider: providerJournal, consumer: consumerJournal } = journals;
  return {
    cut,
    passed: { ...proxy.passed },
    made: proxy.made,
    provider: providerJournal,
    consumer: consumerJournal,
    trouble,
  };
}

async function talk(
  provider: ChatClient,
  consumer: ChatClient,
  journals: { provider: Journal; consumer: Journal },
  name: string,
): Promise<void> {
  const serviceId = `s-${name}`;
  const answered = countTo(QUESTIONS.length);
  const ended = countTo(1);
  const heard = countTo(REPLIES.length + AFTERTHOUGHTS.length);
  let count = 0;
  /** Sends under an id of the same length in every run, and notes the receipt. */
  async function say(speaker: ChatClient, channelId: string, words: string): Promise<void> {
    count += 1;
    const messageId = `${speaker.agentId}-${String(count).padStart(2, "0")}`;
    const receipt = await speaker.sendMessage({ channelId, content: words, messageId });
    const journal = speaker === provider ? journals.provider : journals.consumer;
    journal.receipts.push({ words, channelId: receipt.channelId, seq: receipt.seq });
  }
  const note = (journal: Journal, { channelId, seq, kind }: IncomingEntry, words: string) =>
    journal.handled.push({ channelId, seq, kind, words });

  provider.listen({
    async request(request) {
      note(journals.provider, request, request.content);
      await request.accept({ content: ACCEPT });
    },
    async message(message) {
      note(journals.provider, message, message.content);
      await say(provider, message.channelId, `${message.content} yes.`);
      answered.add();
    },
    end(end) {
      note(journals.provider, end, end.reason);
      ended.add();
    },
  });
  consumer.listen({
    message(message) {
      note(journals.consumer, message, message.content);
      heard.add();
    },
  });
  await provider.connect();
  await provider.registerService({ serviceId });
  await consumer.connect();
  const answer = await consumer.requestChat({
    ...{ serviceId, content: REQUEST, idempotencyKey: `k-${name}` },
  });
  const { channelId, content = "" } = answer;
  if (answer.status !== "accepted") throw new Error(`the request was ${answer.status}`);
  // The answer went to this call and to no handler; it is the entry after the request.
  journals.consumer.handled.push({ channelId, seq: 2, kind: "accept", words: content });
  await Promise.all(QUESTIONS.map((question) => say(consumer, channelId, question)));
  await answered.reached;
  await Promise.all(AFTERTHOUGHTS.map((words) => say(provider, channelId, words)));
  await heard.reached;
  const end = await consumer.endChat({ channelId, reason: END });
  journals.consumer.receipts.push({ words: END, channelId: end.channelId, seq: end.seq });
  await ended.reached;
  for (const [client, journal] of [
    [provider, journals.provider],
    [consumer, journals.consumer],
  ] as const) {
    const { messages } = await client.getHistory({ channelId });
    journal.history.push(...messages.map((message) => message.content));
  }
}

/** Waits for so many. */
function countTo(count: number): { add(): void; readonly reached: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  return {
    add() {
      left -= 1;
      if (left === 0) resolve();
    },
    reached: promise,
  };
}
