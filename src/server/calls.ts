import type { handleUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Context } from "../hub/context.js";
import type { Caller } from "../hub/credentials.js";
import { noteFalseName } from "../hub/deny.js";
import { listChannels, listServices } from "../hub/listings.js";
import { registerService, unregisterService } from "../hub/services.js";
import { serviceView } from "../hub/views.js";
import { checkListChannels, checkListServices, checkService } from "../protocol/call-rules.js";
import * as field from "../protocol/field-rules.js";
import type { HubLimits } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import { Service } from "../protocol/wire.js";
import { statusOf } from "./call-identity.js";
import { SHUTTING_DOWN } from "./farewells.js";
import type { Identified, Logins } from "./logins.js";
import type { Rates } from "./rate.js";
import type { HubHandlers, UnaryRequest } from "./service-definition.js";
import type { Turns } from "./turns.js";

/** What the unary calls need of the hub. */
export interface Calls {
  turns: Turns;
  rates: Rates;
  limits: HubLimits;
  logins: Logins;
  stopping: boolean;
}

type Reply<T> = T | { refusal: Refusal };

/** The unary calls: each one job of a turn, refused with a status and the reason in a trailer. */
export function unaryHandlers(calls: Calls): Omit<HubHandlers, "connect"> {
  return {
    registerService: unary(
      calls,
      ({ service }, agentId) => checkService(service, agentId, calls.limits),
      async (context, { agentId }, { service }) => {
        const result = await registerService(context, agentId, service ?? Service.create());
        if ("refusal" in result) return result;
        return { service: serviceView(result.service, agentId, context.env.isOnline) };
      },
    ),
    unregisterService: unary(
      calls,
      ({ serviceId }) =>
        field.required("service_id", serviceId, "name the service to withdraw") ??
        field.id("service_id", serviceId),
      async (context, { agentId }, { serviceId }) => {
        const refusal = await unregisterService(context, agentId, serviceId);
        return refusal === undefined ? {} : { refusal };
      },
    ),
    listServices: unary(calls, checkListServices, listServices),
    listChannels: unary(calls, checkListChannels, listChannels),
  };
}

function unary<Request, Response>(
  calls: Calls,
  check: (request: Request, agentId: string) => Refusal | undefined,
  run: (context: Context, caller: Caller, request: Request) => Promise<Reply<Response>>,
): handleUnaryCall<UnaryRequest<Request>, Response> {
  return (call, callback) => {
    const refuseWith = (refusal: Refusal) => callback(statusOf(refusal));
    const answer = (identity: Identified) => {
      if (calls.stopping) return refuseWith(SHUTTING_DOWN);
      if ("refusal" in identity) return refuseWith(identity.refusal);
      const { caller } = identity;
      const { agentId, address } = caller;
      const { message, sizeBytes, refusal = check(message, agentId) } = call.request;
      const waitMs = calls.rates.waitMs(agentId);
      if (waitMs > 0) return refuseWith(rateLimited(waitMs));
      calls.rates.take(agentId, sizeBytes);
      calls.turns.submit<Reply<Response>>({
        address,
        async run(context) {
          if (refusal === undefined) {
            const beganAtMs = performance.now();
            try {
              return await run(context, caller, message);
            } finally {
              calls.rates.spend(agentId, performance.now() - beganAtMs);
            }
          }
          noteFalseName(context, agentId, refusal);
          return { refusal };
        },
        done: (reply) => finish(callback, reply),
        failed: refuseWith,
      });
    };
    if (calls.stopping) return refuseWith(SHUTTING_DOWN);
    const identity = calls.logins.identify(call);
    if (identity instanceof Promise) void identity.then(answer);
    else answer(identity);
  };
}

/** Unlike a session, a call cannot be read later. */
function rateLimited(waitMs: number): Refusal {
  const message = "this agent calls more than it may in a second; wait";
  return refuse("RATE_LIMITED", message, Math.ceil(waitMs));
}

function finish<Response>(callback: sendUnaryData<Response>, reply: Reply<Response>): void {
  if (isRefusal(reply)) callback(statusOf(reply.refusal));
  else callback(null, reply);
}

function isRefusal(reply: unknown): reply is { refusal: Refusal } {
  return typeof reply === "object" && reply !== null && "refusal" in reply;
}
