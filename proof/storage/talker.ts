import { ChannelCredentials, Metadata } from "@grpc/grpc-js";
import { ChatHubClient, ConnectRequest, type ConnectResponse } from "claw-chat-hub/protocol";

type Frame = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]["frame"]>;

/** How a message ended. */
export type Said =
  | { kind: "receipt"; channelId: string; seq: number; duplicate: boolean }
  | { kind: "refused"; reason: string }
  /** The stream ended first: it may be stored or not. */
  | { kind: "unknown" };

/** An agent on the bare stub: it sends nothing by itself, and again nothing. */
export interface Talker {
  say(to: string, messageId: string, content: string): Promise<Said>;
  /** The channel's newest message ids, or why not. */
  history(channelId: string): Promise<{ messageIds: string[] } | { refused: string }>;
  /** Resolves with the ids of the messages delivered to it, once there are so many. */
  heard(count: number): Promise<string[]>;
  /** The stream's end. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a session; with `receive` one that is delivered to, that acks nothing, and sets aside what it got. */
export function talk(address: string, agentId: string, receive = false): Talker {
  const client = new ChatHubClient(address, ChannelCredentials.createInsecure(), {
    "grpc.max_receive_message_length": 8 * 1024 * 1024,
    "grpc.enable_retries": 0,
  });
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  metadata.set("claw-receive", receive ? "manual" : "none");
  const stream = client.connect(metadata);
  const waiting = new Map<string, (answer: ConnectResponse | undefined) => void>();
  const delivered: string[] = [];
  const listeners = new Set<() => void>();
  let requests = 0;
  let isOver = false;

  const ended = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      for (const answer of waiting.values()) answer(undefined);
      waiting.clear();
      resolve();
    };
    stream.on("error", end).on("end", end).on("close", end);
  });
  stream.on("data", (response: ConnectResponse) => {
    for (const { requestId } of response.receipts) settle(requestId, response);
    if (response.frame?.$case === "chatMessage") {
      delivered.push(response.frame.value.messageId);
      // Otherwise the hub would wait for acks at some point (D5); positions stay where they are.
      const { channelId, seq } = response.frame.value;
      stream.write(ConnectRequest.fromPartial({ setAside: [{ channelId, seq }] }));
      for (const listener of [...listeners]) listener();
    } else if (response.requestId !== "") {
      settle(response.requestId, response);
    }
  });

  function settle(requestId: string, response: ConnectResponse): void {
    waiting.get(requestId)?.(response);
    waiting.delete(requestId);
  }

  function ask(frame: Frame): Promise<{ requestId: string; answer: ConnectResponse | undefined }> {
    requests += 1;
    const requestId = `${requests}`;
    if (isOver) return Promise.resolve({ requestId, answer: undefined });
    return new Promise((resolve) => {
      waiting.set(requestId, (answer) => resolve({ requestId, answer }));
      stream.write(ConnectRequest.fromPartial({ requestId, frame }));
    });
  }

  return {
    async say(to, messageId, content) {
      const { requestId, answer } = await ask({
        $case: "chatMessage",
        value: { targetAgent: to, messageId, content },
      });
      if (answer === undefined) return { kind: "unknown" };
      if (answer.frame?.$case === "error") {
        return { kind: "refused", reason: answer.frame.value.reason };
      }
      const receipt = answer.receipts.find((one) => one.requestId === requestId);
      if (receipt === undefined) throw new Error("a message was answered by neither");
      const { channelId, seq, duplicate } = receipt;
      return { kind: "receipt", channelId, seq: Number(seq), duplicate };
    },
    async history(channelId) {
      const { answer } = await ask({ $case: "chatHistory", value: { channelId, limit: 5 } });
      if (answer?.frame?.$case === "chatHistory") {
        return { messageIds: answer.frame.value.messages.map((message) => message.messageId) };
      }
      return {
        refused: answer?.frame?.$case === "error" ? answer.frame.value.reason : "no answer",
      };
    },
    heard(count) {
      return new Promise((resolve) => {
        const look = () => {
          if (delivered.length < count && !isOver) return;
          listeners.delete(look);
          resolve([...delivered]);
        };
        listeners.add(look);
        void ended.then(look);
        look();
      });
    },
    ended,
    close() {
      stream.cancel();
      client.close();
    },
  };
}
