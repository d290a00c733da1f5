import type { BinaryReader } from "@bufbuild/protobuf/wire";
import type { handleBidiStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import { type Decoded, decodeChecked } from "../protocol/decode.js";
import {
  ChatHubService,
  ConnectRequest,
  ListChannelsRequest,
  type ListChannelsResponse,
  ListServicesRequest,
  type ListServicesResponse,
  RegisterServiceRequest,
  type RegisterServiceResponse,
  UnregisterServiceRequest,
  type UnregisterServiceResponse,
} from "../protocol/wire.js";

/**
 * The generated service with two changes: requests come with what decoding
 * noticed about them, and Connect's responses are encoded before they are
 * queued, so that stored bytes go out as they are.
 */
export const hubService = {
  connect: {
    ...ChatHubService.connect,
    requestDeserialize: checked(ConnectRequest),
    responseSerialize: (bytes: Uint8Array): Buffer =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  },
  registerService: {
    ...ChatHubService.registerService,
    requestDeserialize: checked(RegisterServiceRequest),
  },
  unregisterService: {
    ...ChatHubService.unregisterService,
    requestDeserialize: checked(UnregisterServiceRequest),
  },
  listServices: {
    ...ChatHubService.listServices,
    requestDeserialize: checked(ListServicesRequest),
  },
  listChannels: {
    ...ChatHubService.listChannels,
    requestDeserialize: checked(ListChannelsRequest),
  },
};

/** The handlers that go with `hubService`. */
export interface HubHandlers {
  connect: handleBidiStreamingCall<Decoded<ConnectRequest>, Uint8Array>;
  registerService: handleUnaryCall<Decoded<RegisterServiceRequest>, RegisterServiceResponse>;
  unregisterService: handleUnaryCall<Decoded<UnregisterServiceRequest>, UnregisterServiceResponse>;
  listServices: handleUnaryCall<Decoded<ListServicesRequest>, ListServicesResponse>;
  listChannels: handleUnaryCall<Decoded<ListChannelsRequest>, ListChannelsResponse>;
}

function checked<T>(codec: { decode(reader: BinaryReader): T }): (bytes: Buffer) => Decoded<T> {
  return (bytes) => decodeChecked(codec, bytes);
}
