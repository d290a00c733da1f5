import "../support/end-with-parent.ts";
import { ChatClient } from "claw-chat-hub";
import { type ClientOrder, type ClientReport, nowMs } from "./words.ts";

/** A real client that offers a service and tells how its connection comes and goes. */
process.on("message", async ({ offer }: ClientOrder) => {
  const { address, agentId, serviceId } = offer;
  const client = new ChatClient({ hubUrl: `grpc://${address}`, agentId });
  // Somebody is at work, so that the session is one that receives.
  client.listenForMessages(() => {});
  await client.connect();
  await client.registerService({ serviceId });
  for await (const { state } of client.connection()) {
    process.send?.({ state, atMs: nowMs() } satisfies ClientReport);
  }
});
