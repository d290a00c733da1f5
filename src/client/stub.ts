import type { ClientDuplexStream, Metadata } from "@grpc/grpc-js";
import { encode } from "../protocol/encode.js";
import { MAX_TRANSPORT_BYTES } from "../protocol/limits.js";
import {
  ChatHubClient,
  ChatHubService,
  ConnectRequest,
  type ConnectResponse,
} from "../protocol/wire.js";
import type { Settings } from "./options.js";
import { credentialsFor } from "./url.js";

/** Opens the generated stub; nothing is connected before its first call. The caller closes it. */
export function openStub({ address, ...certificates }: Settings): ChatHubClient {
  return new ChatHubClient(address.target, credentialsFor(address, certificates), {
    // Sending again is this client's own work: it knows what has a receipt.
    "grpc.enable_retries": 0,
    "grpc.max_receive_message_length": MAX_TRANSPORT_BYTES,
    // A hub that fell silent is noticed within 30 s (L3).
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 8_000,
    // The waiting between attempts is connection.ts's; grpc-js's own would come on top of it.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 500,
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    // Two clients of one process share no connection, so that one's trouble stays its own.
    "grpc.use_local_subchannel_pool": 1,
    ...(address.loopback ? { "grpc.enable_http_proxy": 0 } : {}),
  });
}

/**
 * What the stub's `connect` does, with a writer that keeps its buffer: making one for each request was
 * a quarter of what sending costs (`npm run bench -- --only client`).
 * @throws Error when the stub was closed
 */
export function openStream(
  stub: ChatHubClient,
  metadata: Metadata,
): ClientDuplexStream<ConnectRequest, ConnectResponse> {
  const { path, responseDeserialize } = ChatHubService.connect;
  const serialize = (request: ConnectRequest) => encode(ConnectRequest, request);
  return stub.makeBidiStreamRequest(path, serialize, responseDeserialize, metadata);
}
