import {
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";
import { ChatHubService } from "../protocol/wire.js";

/** How long the request of a call may be on its way, in milliseconds. */
export const REQUEST_MS = 10_000;

/**
 * Ends calls whose first request does not come, for what has come of it is kept until then. A
 * session of the hub may take its time.
 */
export function requestInTime(limitMs: number): ServerInterceptor {
  return ({ path }, call) => {
    if (path === ChatHubService.connect.path) return call as ServerInterceptingCall;
    let timer: NodeJS.Timeout | undefined;
    const stop = () => clearTimeout(timer);
    return new ServerInterceptingCall(call, {
      start(next) {
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, pass) => {
              timer = setTimeout(() => {
                const details = `the request was not there after ${limitMs / 1000} s`;
                call.sendStatus({ code: status.DEADLINE_EXCEEDED, details, metadata: null });
              }, limitMs).unref();
              pass(metadata);
            })
            .withOnReceiveMessage((message, pass) => {
              stop();
              pass(message);
            })
            .withOnReceiveHalfClose((pass) => {
              stop();
              pass();
            })
            .withOnCancel(stop)
            .build(),
        );
      },
      sendStatus(outcome, next) {
        stop();
        next(outcome);
      },
    });
  };
}
