import { ChatClient } from "claw-chat-hub";

/** Two well-behaved agents that talk while others attack the hub. */
export interface Control {
  readonly ok: number;
  /** The longest that a message took to be stored and to arrive. */
  readonly slowestMs: number;
  /** What went wrong, a sentence each. */
  readonly failed: readonly string[];
  /** Ends the talk, with the message that is on its way. */
  end(): Promise<void>;
}

/** A message that has not come through by then never will: a hub under attack is slow, not deaf. */
const PATIENCE_MS = 20_000;

/** Lets a message be stored and arrive, again and again, and says how often it did. */
export async function startControl(hubUrl: string): Promise<Control> {
  const [sender, receiver] = ["control-sender", "control-receiver"].map(
    (agentId) => new ChatClient({ hubUrl, agentId }),
  ) as [ChatClient, ChatClient];
  const arrived = new Map<string, () => void>();
  receiver.listenForMessages(({ content }) => {
    arrived.get(content)?.();
    arrived.delete(content);
  });
  await Promise.all([sender.connect(), receiver.connect()]);

  const control = { ok: 0, slowestMs: 0, failed: [] as string[] };
  let over = false;
  async function talk(): Promise<void> {
    for (let count = 1; !over; count += 1) {
      const content = `message ${count}`;
      const here = new Promise<void>((resolve) => arrived.set(content, resolve));
      const sentAtMs = performance.now();
      const late = AbortSignal.timeout(PATIENCE_MS);
      const tooLate = new Promise<never>((_, reject) => {
        late.addEventListener("abort", () => reject(new Error(`it took over ${PATIENCE_MS} ms`)));
      });
      try {
        const stored = sender.sendMessage({ targetAgent: "control-receiver", content });
        await Promise.race([Promise.all([stored, here]), tooLate]);
        control.ok += 1;
        control.slowestMs = Math.max(control.slowestMs, performance.now() - sentAtMs);
      } catch (error) {
        control.failed.push(`control: ${content}: ${String(error)}`);
        return;
      }
    }
  }
  const talking = talk();
  return {
    get ok() {
      return control.ok;
    },
    get slowestMs() {
      return control.slowestMs;
    },
    get failed() {
      return control.failed;
    },
    async end() {
      over = true;
      await talking;
      await Promise.all([sender.disconnect(), receiver.disconnect()]);
    },
  };
}
