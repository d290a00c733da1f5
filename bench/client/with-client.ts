import { ChatClient } from "claw-chat-hub";
import { createContents } from "./contents.ts";
import type { TalkerOrder } from "./talker.ts";

/** A conversation that goes on. */
export interface Talk {
  /** Messages that have a receipt, or were taken. */
  messages(): number;
}

/** Talks as a user of the package would: one sendMessage after another, or a handler. */
export async function talkWithClient(
  order: TalkerOrder,
  failed: (error: Error) => void,
): Promise<Talk> {
  const { address, apiKey, agentId, peerId } = order;
  const chat = new ChatClient({ hubUrl: address, apiKey, agentId });
  const contents = createContents(order.sizeBytes);
  let messages = 0;
  chat.listen({
    message({ content }) {
      messages += 1;
      // The first one only opens the chat.
      if (messages > 1 && !contents.isNext(content)) failed(new Error("a message is not the next"));
    },
  });
  await chat.connect();
  if (peerId !== undefined) {
    const { channelId } = await chat.sendMessage({ targetAgent: peerId, content: "hello" });
    const keepSending = async () => {
      for (;;) {
        await chat.sendMessage({ channelId, content: contents.next() });
        messages += 1;
      }
    };
    for (let one = 0; one < order.inFlight; one += 1) keepSending().catch(failed);
  }
  return { messages: () => messages };
}
