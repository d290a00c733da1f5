import {
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from "@grpc/grpc-js";
import { ChatHubService } from "../protocol/wire.js";
import { statusOf } from "./call-identity.js";
import type { Logins } from "./logins.js";

const HUB_METHODS = new Set<string>(Object.values(ChatHubService).map(({ path }) => path));

/**
 * Finds out who calls before anything of the request is read: without it grpc-js collects and
 * decodes the request of a plain call first, whoever sends it. The handlers ask `logins` again,
 * and are answered at once.
 */
export function loginFirst(logins: Logins): ServerInterceptor {
  return ({ path }, call) => {
    if (!HUB_METHODS.has(path)) return new ServerInterceptingCall(call);
    let gone = false;
    return new ServerInterceptingCall(call, {
      start(next) {
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, pass) => {
              const caller = {
                metadata,
                getPeer: () => call.getPeer(),
                getAuthContext: () => call.getAuthContext(),
              };
              const admit = (identity: Awaited<ReturnType<Logins["identify"]>>) => {
                // A handler that began now would never hear that its call is over.
                if (gone) return;
                if ("refusal" in identity) refuseWith(identity.refusal);
                else pass(metadata);
              };
              const identity = logins.identify(caller);
              if (identity instanceof Promise) void identity.then(admit);
              else admit(identity);
            })
            .withOnCancel(() => {
              gone = true;
            })
            .build(),
        );
      },
    });

    function refuseWith(refusal: Parameters<typeof statusOf>[0]): void {
      const { code, details, metadata } = statusOf(refusal);
      call.sendStatus({ code, details, metadata });
    }
  };
}
