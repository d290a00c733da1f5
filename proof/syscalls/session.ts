import { ChannelCredentials, Metadata } from "@grpc/grpc-js";
import {
  ChatHubClient,
  ConnectRequest,
  type ConnectResponse,
  type Receipt,
} from "claw-chat-hub/protocol";

type Frame = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]["frame"]>;
/** An entry of a channel as it is delivered. */
export type Delivery = Extract<
  ConnectResponse["frame"],
  { $case: "chatRequest" | "chatAccept" | "chatMessage" | "chatEnd" }
>;

/** A receiving session on the bare stub. */
export interface Session {
  readonly agentId: string;
  /** Sends a frame and resolves with its receipt; rejects when it is refused, or the stream ends. */
  store(requestId: string, frame: Frame): Promise<Receipt>;
  close(): void;
}

/** Who is told what happens in a session. */
export interface SessionEnds {
  /** Every entry that is delivered. */
  deliver(delivery: Delivery): void;
  /** The stream ended before it was closed here. */
  fail(error: Error): void;
  /** Whether deliveries are acked. */
  acks: boolean;
}

/** Opens a session of an agent. */
export function openSession(
  address: string,
  agentId: string,
  { deliver, fail, acks }: SessionEnds,
): Session {
  const client = new ChatHubClient(address, ChannelCredentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  metadata.set("claw-receive", "manual");
  const stream = client.connect(metadata);
  let closed = false;
  const waiting = new Map<string, PromiseWithResolvers<Receipt>>();

  stream.on("data", (response: ConnectResponse) => {
    for (const receipt of response.receipts) {
      waiting.get(receipt.requestId)?.resolve(receipt);
      waiting.delete(receipt.requestId);
    }
    const { frame } = response;
    if (frame?.$case === "error") {
      waiting.get(response.requestId)?.reject(new Error(`${agentId}: ${frame.value.message}`));
    }
    if (isDelivery(frame)) {
      const { channelId, seq } = frame.value;
      if (acks) stream.write(ConnectRequest.fromPartial({ acks: [{ channelId, seq }] }));
      deliver(frame);
    }
  });
  stream.on("error", (error) => {
    for (const one of waiting.values()) one.reject(error);
    if (!closed) fail(error);
  });
  return {
    agentId,
    store(requestId, frame) {
      const answer = Promise.withResolvers<Receipt>();
      waiting.set(requestId, answer);
      stream.write(ConnectRequest.fromPartial({ requestId, frame }));
      return answer.promise;
    },
    close() {
      closed = true;
      stream.cancel();
      client.close();
    },
  };
}

function isDelivery(frame: ConnectResponse["frame"]): frame is Delivery {
  const kind = frame?.$case;
  return (
    kind === "chatRequest" || kind === "chatAccept" || kind === "chatMessage" || kind === "chatEnd"
  );
}
