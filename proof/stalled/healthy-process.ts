import "../support/end-with-parent.ts";
import { ChatClient } from "claw-chat-hub";
import type { HealthyOrder, HealthyReport } from "./words.ts";

/** Pairs that talk at a steady pace, and measure how long a message takes from hand to hand. */

const EVERY_MS = 20;
const latenciesMs: number[] = [];
const broken: string[] = [];

async function begin(address: string, pairs: number): Promise<void> {
  const hubUrl = `grpc://${address}`;
  for (let pair = 0; pair < pairs; pair += 1) {
    const speaker = new ChatClient({ hubUrl, agentId: `healthy-speaker-${pair}` });
    const listener = new ChatClient({ hubUrl, agentId: `healthy-listener-${pair}` });
    let heard = 0;
    listener.listenForMessages(({ content }) => {
      const [number, sentAtMs] = content.split(" ").map(Number);
      heard += 1;
      if (number !== heard) broken.push(`pair ${pair} heard ${number} as number ${heard}`);
      latenciesMs.push(performance.now() - (sentAtMs ?? 0));
    });
    await Promise.all([speaker.connect(), listener.connect()]);
    let said = 0;
    setInterval(() => {
      said += 1;
      const content = `${said} ${performance.now()}`;
      speaker
        .sendMessage({ targetAgent: listener.agentId, content })
        .catch((error: Error) => broken.push(error.message));
    }, EVERY_MS);
  }
}

process.on("message", async (order: HealthyOrder) => {
  if (order.order === "begin") {
    await begin(order.address, order.pairs);
    process.send?.({ begun: true } satisfies HealthyReport);
    return;
  }
  process.send?.({ latenciesMs: latenciesMs.splice(0), broken } satisfies HealthyReport);
});
