import { ChannelCredentials, Metadata } from "@grpc/grpc-js";
import { ChatHubClient, type ConnectResponse } from "claw-chat-hub/protocol";
import type { OpenReader } from "./reader.ts";

/** A session on the generated stub; shut, its application does not read the stream. */
export const openGrpcReader: OpenReader = ({ address, agentId, mode, shut, onResponse, onEnd }) => {
  const stub = new ChatHubClient(address, ChannelCredentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": 4 * 1024 * 1024,
  });
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  metadata.set("claw-receive", mode);
  const stream = stub.connect(metadata);
  if (shut) stream.pause();
  stream.on("data", (response: ConnectResponse) => onResponse(response));
  stream.on("error", () => {});
  stream.on("status", () => {
    stub.close();
    onEnd();
  });
  return {
    read: () => void stream.resume(),
    send: (request) => void stream.write(request),
  };
};
