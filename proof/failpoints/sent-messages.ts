import { ChatClient } from "claw-chat-hub";
import type { Acked } from "./stored-entries.ts";

/** Sends so many messages to a few peers, and resolves when each has its receipt. */
export async function sendMessages(address: string, count: number): Promise<Acked[]> {
  await using client = new ChatClient({ hubUrl: address, agentId: "ann", receive: "none" });
  await client.connect();
  const numbers = Array.from({ length: count }, (_, index) => index);
  return Promise.all(
    numbers.map(async (number) => {
      const content = `message ${number} ${"x".repeat(number)}`;
      const targetAgent = `peer-${number % 5}`;
      const { channelId, seq, messageId } = await client.sendMessage({ content, targetAgent });
      return { channelId, seq, messageId, content };
    }),
  );
}
