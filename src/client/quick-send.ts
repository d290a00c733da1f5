import type { CallOptions } from "./call-options.js";
import { ChatClient } from "./chat-client.js";
import type { ChatClientOptions } from "./options.js";
import type { MessageInput, Receipt } from "./vocabulary.js";

/** Who sends what to whom, in one go. */
export type QuickSendOptions = Omit<ChatClientOptions, "receive" | "onFailed" | "onProgress"> &
  MessageInput &
  CallOptions;

/**
 * Sends one message and disconnects. The agent's running session is left alone (I4).
 * @returns the receipt, when the message is stored durably
 * @throws ChatHubError as connect() and sendMessage() do
 */
export async function quickSend(options: QuickSendOptions): Promise<Receipt> {
  const { signal } = options;
  const bounds: CallOptions = signal === undefined ? {} : { signal };
  const client = new ChatClient({ ...options, receive: "none" });
  try {
    await client.connect(bounds);
    return await client.sendMessage(options, bounds);
  } finally {
    await client.disconnect();
  }
}
