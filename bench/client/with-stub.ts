import { randomUUID } from "node:crypto";
import { ChannelCredentials, Metadata } from "@grpc/grpc-js";
import { ChatHubClient, ConnectRequest, type ConnectResponse } from "claw-chat-hub/protocol";
import { createContents } from "./contents.ts";
import type { TalkerOrder } from "./talker.ts";
import type { Talk } from "./with-client.ts";

/** Talks with nothing but the generated stub: no reconnecting, no resending, acks of each turn. */
export function talkWithStub(order: TalkerOrder, failed: (error: Error) => void): Promise<Talk> {
  const { agentId, peerId } = order;
  const stub = new ChatHubClient(order.address, ChannelCredentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  metadata.set("authorization", `Bearer ${order.apiKey}`);
  metadata.set("claw-receive", "manual");
  const stream = stub.connect(metadata);
  const contents = createContents(order.sizeBytes);
  let channelId = "";
  let messages = 0;
  let lastSeq = 0n;
  let acking = false;

  function send(content: string): void {
    const value = { messageId: randomUUID(), content };
    const to = channelId === "" ? { targetAgent: peerId ?? "" } : { channelId };
    stream.write(
      ConnectRequest.fromPartial({
        requestId: value.messageId,
        frame: { $case: "chatMessage", value: { ...value, ...to } },
      }),
    );
  }

  function ack(): void {
    acking = false;
    stream.write(ConnectRequest.fromPartial({ acks: [{ channelId, seq: lastSeq }] }));
  }

  function takeReceipts({ receipts }: ConnectResponse): void {
    for (const receipt of receipts) {
      if (channelId === "") {
        channelId = receipt.channelId;
        for (let one = 0; one < order.inFlight; one += 1) send(contents.next());
        continue;
      }
      messages += 1;
      send(contents.next());
    }
  }

  return new Promise((resolve) => {
    stream.on("error", failed);
    stream.on("data", (response: ConnectResponse) => {
      takeReceipts(response);
      const { frame } = response;
      if (frame?.$case === "sessionStarted") {
        if (peerId !== undefined) send("hello");
        resolve({ messages: () => messages });
      }
      if (frame?.$case === "error") failed(new Error(frame.value.message));
      if (frame?.$case !== "chatMessage") return;
      messages += 1;
      const { content, seq } = frame.value;
      if (messages > 1 && !contents.isNext(content)) failed(new Error("a message is not the next"));
      channelId = frame.value.channelId;
      lastSeq = seq;
      if (!acking) setImmediate(ack);
      acking = true;
    });
  });
}
