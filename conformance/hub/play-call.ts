import type { ServiceError, StatusObject } from "@grpc/grpc-js";
import { decode, encode, type Json, methodOf } from "./contract.ts";
import { expectRefusal } from "./expect-refusal.ts";
import { type CallerWords, metadataOf } from "./hub-under-test.ts";
import { statusWords } from "./session.ts";
import type { Stage } from "./stage.ts";
import type { Step } from "./transcript.ts";

/** Plays a plain call. @throws Error when the hub answers otherwise */
export async function playCall(stage: Stage, step: Step): Promise<void> {
  const { subject, value, options } = step;
  const caller = { ...stage.callerOf(subject) };
  if (options.agent !== undefined) caller.agentId = String(stage.fill(options.agent)) || undefined;
  if (options.key !== undefined) caller.key = String(stage.fill(options.key)) || undefined;
  const request = stage.fill(options.with ?? {}) as Json;
  const answer = await call(stage, { method: String(value), request, caller });
  if (options.refused !== undefined) {
    if ("response" in answer) throw new Error("it was not refused");
    return expectRefusal(stage, options.refused, answer.status);
  }
  if ("status" in answer) throw new Error(`it was refused: ${statusWords(answer.status)}`);
  stage.expect(options.returns ?? {}, answer.response);
}

function call(
  stage: Stage,
  of: { method: string; request: Json; caller: CallerWords },
): Promise<{ response: Json } | { status: StatusObject }> {
  const { path, request, response } = methodOf(of.method);
  const deadline = Date.now() + stage.patienceMs;
  return new Promise((resolve) => {
    stage.connection().makeUnaryRequest<Json, Json>(
      path,
      (json) => Buffer.from(encode(request, json)),
      (bytes) => decode(response, bytes),
      of.request,
      metadataOf(of.caller),
      { deadline },
      (error: ServiceError | null, answered?: Json) => {
        if (error !== null) resolve({ status: error });
        else resolve({ response: answered ?? {} });
      },
    );
  });
}
