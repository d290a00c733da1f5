import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";

/**
 * Refuses calls whose requests are compressed, with UNIMPLEMENTED, as gRPC has it for an encoding
 * that a server does not know.
 *
 * grpc-js makes a decompressor for every message in what it has read, all at once: 3 MB of
 * compressed messages without contents hold the hub up for many seconds and hundreds of MiB. No
 * client compresses unless told to, and entries are small.
 */
export const refuseCompressed: ServerInterceptor = (_method, call) => {
  if (encodingOf(call) === "identity") return call as ServerInterceptingCall;
  return new ServerInterceptingCall(call, {
    start(next) {
      const details = "this hub takes requests that are not compressed; leave grpc-encoding out";
      next(
        new ServerListenerBuilder()
          .withOnReceiveMetadata(() =>
            call.sendStatus({ code: status.UNIMPLEMENTED, details, metadata: new Metadata() }),
          )
          .build(),
      );
    },
  });
};

/** grpc-js keeps the header to itself; hostile.test.ts notices where it is no longer found here. */
function encodingOf(call: object): string {
  return (call as { incomingEncoding?: string }).incomingEncoding ?? "identity";
}
