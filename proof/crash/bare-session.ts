import { ChannelCredentials, Metadata } from "@grpc/grpc-js";
import { ChatHubClient, type ConnectRequest, type ConnectResponse } from "claw-chat-hub/protocol";

/** One receiving stream on the generated stub, on a connection of its own. */
export interface BareSession {
  readonly stub: ChatHubClient;
  send(request: ConnectRequest): void;
  /** Half-closes: what was sent is answered, then the stream ends. */
  leave(): void;
}

/** Call metadata that name the agent. */
export function callerOf(agentId: string): Metadata {
  const metadata = new Metadata();
  metadata.set("claw-agent-id", agentId);
  return metadata;
}

/**
 * Dials and opens a stream.
 * @param on.ended called once, however it ends; the connection is closed by then
 */
export function openBareSession(
  address: string,
  agentId: string,
  on: { response(response: ConnectResponse): void; ended(): void },
): BareSession {
  const stub = new ChatHubClient(address, ChannelCredentials.createInsecure(), {
    // Otherwise it inherits the reconnect backoff of another agent that met a dead hub.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
  });
  const metadata = callerOf(agentId);
  metadata.set("claw-receive", "manual");
  const stream = stub.connect(metadata);
  stream.on("data", on.response);
  stream.on("error", () => {});
  stream.on("status", () => {
    stub.close();
    on.ended();
  });
  return {
    stub,
    send: (request) => void stream.write(request),
    leave: () => stream.end(),
  };
}
