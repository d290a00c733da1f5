import "../support/end-with-parent.ts";
import { ChatClient } from "claw-chat-hub";
import { nowMs, type ObserverOrder, type ObserverReport } from "./words.ts";

const EVERY_MS = 50;

/** Looks at every service all the time, and tells when a provider has come or gone. */
process.on("message", async ({ address }: ObserverOrder) => {
  const client = new ChatClient({
    ...{ hubUrl: `grpc://${address}`, agentId: "observer", receive: "none" },
  });
  const before = new Map<string, boolean>();
  for (;;) {
    for await (const { serviceId, providerOnline } of client.listServices()) {
      if (before.get(serviceId) === providerOnline) continue;
      before.set(serviceId, providerOnline);
      process.send?.({
        ...{ serviceId, online: providerOnline, atMs: nowMs() },
      } satisfies ObserverReport);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
});
