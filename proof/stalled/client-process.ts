import "../support/end-with-parent.ts";
import { ChatClient } from "claw-chat-hub";
import { collectedMemory } from "./collected-memory.ts";
import { placeOf } from "./reader.ts";
import type { ClientOrder, ClientReport } from "./words.ts";

/**
 * An application on the package's client that takes one message from its loop and does not come
 * back for the next: it is busy, or waits for the answer to a question of its own.
 */

/** Where nothing comes any more for so long, nothing will: what there is, is reported. */
const PATIENCE_MS = 60_000;

const cameIn = new Map<string, number>();
const taken: Record<string, number[]> = {};
const mayGoOn = Promise.withResolvers<void>();
let deliveries = 0;
let patience: NodeJS.Timeout | undefined;
let wanted: { order: "measure" | "read"; upTo: Record<string, number> } | undefined;

async function begin({ address, agentId, asks }: Extract<ClientOrder, { order: "begin" }>) {
  const client = new ChatClient({
    ...{ hubUrl: `grpc://${address}`, agentId },
    onFrame({ response }) {
      const place = response && placeOf(response);
      if (place === undefined) return;
      deliveries += 1;
      patience?.refresh();
      cameIn.set(place.channelId, Math.max(place.seq, cameIn.get(place.channelId) ?? 0));
      reportWhenDone();
    },
  });
  const messages = client.messages();
  await client.connect();
  let first = true;
  for await (const { channelId, seq } of messages) {
    taken[channelId] ??= [];
    taken[channelId].push(seq);
    if (first) {
      first = false;
      void report();
      if (asks !== undefined)
        await client.requestChat({ providerId: asks, answerWithinMs: 600_000 });
      await mayGoOn.promise;
    }
    patience?.refresh();
    reportWhenDone();
  }
}

async function report(): Promise<void> {
  const memory = await collectedMemory();
  process.send?.({ ...memory, cameIn: deliveries } satisfies ClientReport);
}

function reportWhenDone(): void {
  if (wanted === undefined) return;
  const { order, upTo } = wanted;
  for (const [channelId, seq] of Object.entries(upTo)) {
    const reached = order === "measure" ? cameIn.get(channelId) : taken[channelId]?.at(-1);
    if (reached === undefined || reached < seq) return;
  }
  reportNow(order);
}

function reportNow(order: "measure" | "read"): void {
  wanted = undefined;
  clearTimeout(patience);
  if (order === "measure") void report();
  else process.send?.({ taken } satisfies ClientReport);
}

process.on("message", (order: ClientOrder) => {
  if (order.order === "begin") {
    void begin(order);
    return;
  }
  wanted = order;
  patience = setTimeout(() => reportNow(order.order), PATIENCE_MS);
  if (order.order === "read") mayGoOn.resolve();
  reportWhenDone();
});
