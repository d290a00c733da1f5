import { ChatClient } from "claw-chat-hub";

/** Messages on their way at once, from each flooder. */
const AT_ONCE = 8;

/** One agent that floods another. */
export interface Flooder {
  /** The agent flooded. */
  readonly target: string;
  /** The channel, once the first message has its receipt. */
  readonly channelId: string;
  /** The seq of the last message. */
  readonly lastSeq: number;
  /** Resolves when the target has a receiving session. */
  targetOnline(): Promise<void>;
  /** Sends so many messages of so many bytes, and waits for all receipts. */
  flood(count: number, bytes: number): Promise<void>;
  end(): Promise<void>;
}

/** Connects, and opens the channel with one small message. */
export async function startFlooder(
  address: string,
  target: string,
  agentId = `flooder-of-${target}`,
): Promise<Flooder> {
  const client = new ChatClient({ hubUrl: `grpc://${address}`, agentId, timeoutMs: 120_000 });
  await client.connect();
  const { channelId, seq } = await client.sendMessage({ targetAgent: target, content: "first" });
  let lastSeq = seq;
  return {
    target,
    channelId,
    get lastSeq() {
      return lastSeq;
    },
    async targetOnline() {
      for (;;) {
        const { channel } = await client.getHistory({ channelId, limit: 1 });
        if (channel.positions.some((one) => one.agentId === target && one.online)) return;
      }
    },
    async flood(count, bytes) {
      const content = "x".repeat(bytes);
      let left = count;
      const send = async () => {
        while (left > 0) {
          left -= 1;
          const receipt = await client.sendMessage({ channelId, content });
          lastSeq = Math.max(lastSeq, receipt.seq);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, send));
    },
    end: () => client.disconnect(),
  };
}
