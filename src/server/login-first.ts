import {
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from "@grpc/grpc-js";
import { MAX_CALLS_OF_A_CONNECTION } from "../protocol/limits.js";
import { refuse } from "../protocol/refusals.js";
import { ChatHubService } from "../protocol/wire.js";
import { statusOf } from "./call-identity.js";
import type { Logins } from "./logins.js";
import { createSessionPlaces } from "./session-places.js";

const { connect: _itself, ...PLAIN } = ChatHubService;
const PLAIN_CALLS = new Set<string>(Object.values(PLAIN).map(({ path }) => path));

const TOO_MANY_CALLS = refuse(
  "RATE_LIMITED",
  `this agent has ${MAX_CALLS_OF_A_CONNECTION} plain calls under way; take their answers first`,
);

/**
 * Finds out who makes a plain call before anything of its request is read: without it grpc-js
 * collects and decodes that first, whoever sends it. The handlers ask `logins` again, whether that
 * still holds. (`connect.ts` reads nothing of a stream before it knows.) An agent has so many plain calls under
 * way at most, over all its connections: the answer of one whose client does not take it is kept.
 */
export function loginFirst(logins: Logins): ServerInterceptor {
  const places = createSessionPlaces(MAX_CALLS_OF_A_CONNECTION);
  return ({ path }, call) => {
    if (!PLAIN_CALLS.has(path)) return call as ServerInterceptingCall;
    let gone = false;
    let place: string | undefined;
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
                if ("refusal" in identity) return refuseWith(identity.refusal);
                const { agentId } = identity.caller;
                if (!places.take(agentId, false)) return refuseWith(TOO_MANY_CALLS);
                place = agentId;
                pass(metadata);
              };
              const identity = logins.identify(caller);
              if (identity instanceof Promise) void identity.then(admit);
              else admit(identity);
            })
            .withOnCancel(() => {
              gone = true;
              if (place !== undefined) places.free(place);
              place = undefined;
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
