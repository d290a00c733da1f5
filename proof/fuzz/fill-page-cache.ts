import { ChatClient } from "claw-chat-hub";

/** More than the 32 MiB that SQLite may keep of the hub's file (`store/sqlite/prepare-database.ts`). */
const MESSAGES = 48;
const CONTENT = "x".repeat(1_000_000);

/**
 * Lets a well-behaved agent send so much that SQLite's page cache is as full as it gets. It has a bound
 * and fills up with any traffic, so that what it takes later would be laid at the attackers' door.
 */
export async function fillPageCache(hubUrl: string): Promise<void> {
  const [writer, reader] = ["filling-writer", "filling-reader"].map(
    (agentId) => new ChatClient({ hubUrl, agentId, receive: "none" }),
  ) as [ChatClient, ChatClient];
  await Promise.all([writer.connect(), reader.connect()]);
  for (let count = 0; count < MESSAGES; count += 1) {
    await writer.sendMessage({ targetAgent: "filling-reader", content: CONTENT });
  }
  await Promise.all([writer.disconnect(), reader.disconnect()]);
}
