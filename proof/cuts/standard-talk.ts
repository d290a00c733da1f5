import type { Party } from "./conversation.ts";
import { noteHandled, noteSaid } from "./journal.ts";

const QUESTIONS = ["one?", "two?", "three?", "four?", "five?"];
const AFTERTHOUGHTS = ["and six.", "and seven."];

/** The standard conversation, with every kind of frame: from the registration to the history. */
export async function talk(provider: Party, consumer: Party, name: string): Promise<void> {
  const serviceId = `s-${name}`;
  const answered = countTo(QUESTIONS.length);
  const ended = countTo(1);
  const heard = countTo(QUESTIONS.length + AFTERTHOUGHTS.length);
  let count = 0;
  /** Sends under an id that is as long in every run. */
  function say({ client, journal }: Party, channelId: string, content: string) {
    count += 1;
    const messageId = `${client.agentId}-${String(count).padStart(2, "0")}`;
    return noteSaid(journal, content, () => client.sendMessage({ channelId, content, messageId }));
  }

  provider.client.listen({
    async request(request) {
      noteHandled(provider.journal, request, request.content);
      const content = "You may.";
      await noteSaid(provider.journal, content, () => request.accept({ content }));
    },
    async message(message) {
      noteHandled(provider.journal, message, message.content);
      await say(provider, message.channelId, `${message.content} yes.`);
      answered.add();
    },
    end(end) {
      noteHandled(provider.journal, end, end.reason);
      ended.add();
    },
  });
  consumer.client.listen({
    message(message) {
      noteHandled(consumer.journal, message, message.content);
      heard.add();
    },
  });

  await provider.client.connect();
  await provider.client.registerService({ serviceId });
  await consumer.client.connect();
  const request = { serviceId, content: "May I ask?", idempotencyKey: `k-${name}` };
  consumer.journal.said.push(request.content);
  const { status, channelId, content = "" } = await consumer.client.requestChat(request);
  if (status !== "accepted") throw new Error(`the request was ${status}`);
  // The answer went to this call and to no handler; it is the entry after the request.
  noteHandled(consumer.journal, { channelId, seq: 2, kind: "accept" }, content);
  await Promise.all(QUESTIONS.map((question) => say(consumer, channelId, question)));
  await answered.reached;
  await Promise.all(AFTERTHOUGHTS.map((words) => say(provider, channelId, words)));
  await heard.reached;
  const reason = "Thank you.";
  await noteSaid(consumer.journal, reason, () => consumer.client.endChat({ channelId, reason }));
  await ended.reached;
  for (const { client, journal } of [provider, consumer]) {
    const { messages } = await client.getHistory({ channelId });
    journal.history = messages.map((message) => message.content);
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
