import type { BinaryReader } from "@bufbuild/protobuf/wire";
import type { handleBidiStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import { decodeChecked } from "../protocol/decode.js";
import type { Refusal } from "../protocol/refusals.js";
import {
  ChatHubService,
  ListChannelsRequest,
  type ListChannelsResponse,
  ListServicesRequest,
  type ListServicesResponse,
  RegisterServiceRequest,
  type RegisterServiceResponse,
  UnregisterServiceRequest,
  type UnregisterServiceResponse,
} from "../protocol/wire.js";
import { checkSize, checkText } from "./request-rules.js";

/** A unary request, and what its bytes alone say against it. */
export interface UnaryRequest<T> {
  message: T;
  /** Encoded size. */
  sizeBytes: number;
  refusal: Refusal | undefined;
}

/** The handlers that go with `hubService`. */
export interface HubHandlers {
  /** Requests and responses are bytes: a session decodes when it is ready for more. */
  connect: handleBidiStreamingCall<Uint8Array, Uint8Array>;
  registerService: handleUnaryCall<UnaryRequest<RegisterServiceRequest>, RegisterServiceResponse>;
  unregisterService: handleUnaryCall<
    UnaryRequest<UnregisterServiceRequest>,
    UnregisterServiceResponse
  >;
  listServices: handleUnaryCall<UnaryRequest<ListServicesRequest>, ListServicesResponse>;
  listChannels: handleUnaryCall<UnaryRequest<ListChannelsRequest>, ListChannelsResponse>;
}

/**
 * The generated service with two changes. Connect carries bytes: grpc-js reads a few requests
 * ahead, and those of a session that is not read must stay as small as they came; and stored
 * bytes go out as they are. Unary requests are not decoded where they are too large, and come
 * with what decoding noticed.
 */
export function hubService(maxMessageBytes: number) {
  function checked<T>(codec: { create(): T; decode(reader: BinaryReader): T }) {
    return (bytes: Buffer): UnaryRequest<T> => {
      const sizeBytes = bytes.length;
      const tooLarge = checkSize(sizeBytes, maxMessageBytes);
      if (tooLarge !== undefined) return { message: codec.create(), sizeBytes, refusal: tooLarge };
      const { message, badTextField } = decodeChecked(codec, bytes);
      return { message, sizeBytes, refusal: checkText(badTextField) };
    };
  }

  return {
    connect: {
      ...ChatHubService.connect,
      requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
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
}
