import {
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from "@grpc/grpc-js";
import { refuse } from "../protocol/refusals.js";
import { statusOf } from "./call-identity.js";
import type { Connections } from "./connections.js";

const TOO_MANY_CONNECTIONS = refuse(
  "TOO_MANY_CONNECTIONS",
  "this address, or everybody together, has as many connections as this hub takes; close some",
);

/** Refuses every call, of whatever service, on a connection that is one too many. */
export function refuseOver(connections: Connections): ServerInterceptor {
  return (_method, call) => {
    if (!connections.isOver(call.getPeer())) return call as ServerInterceptingCall;
    return new ServerInterceptingCall(call, {
      start(next) {
        const { code, details, metadata } = statusOf(TOO_MANY_CONNECTIONS);
        next(
          new ServerListenerBuilder()
            // Its handler hears of no call whose metadata is not passed on.
            .withOnReceiveMetadata(() => call.sendStatus({ code, details, metadata }))
            .build(),
        );
      },
    });
  };
}
