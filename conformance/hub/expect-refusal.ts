import { type StatusObject, status } from "@grpc/grpc-js";
import { isObject } from "./contract.ts";
import { REFUSALS } from "./rules.ts";
import type { Stage } from "./stage.ts";

/**
 * Compares a refusal with its row in docs/protocol.md, and with a pattern where the transcript
 * has one.
 * @param refused `CHANNEL_ENDED`, or a pattern with that as its `reason`
 * @param actual an error frame, or the status that ended a call
 * @throws Error saying what differs
 */
export function expectRefusal(
  stage: Stage,
  refused: unknown,
  actual: StatusObject | Record<string, unknown>,
): void {
  const pattern = isObject(refused) ? refused : { reason: refused };
  const row = REFUSALS.get(String(pattern.reason));
  if (row === undefined) throw new Error(`there is no refusal ${String(pattern.reason)}`);
  const { retryable, ...rest } = row;
  const isStatus = "metadata" in actual && "details" in actual;
  const seen = isStatus ? seenOf(actual as StatusObject) : actual;
  stage.expect({ ...rest, ...pattern }, seen);
  const saysWhen = isStatus ? seen.retryAfterMs !== undefined : seen.retryable === true;
  if (saysWhen !== retryable) {
    throw new Error(
      `${row.reason} ${retryable ? "says not" : "says"} that trying again makes sense`,
    );
  }
}

/** Compares how a stream ended with `OK`, or `{ status: ABORTED, reason: SUPERSEDED }`. */
export function expectStatus(stage: Stage, expected: unknown, ended: StatusObject): void {
  const pattern = isObject(expected) ? expected : { status: expected };
  stage.expect(pattern, { ...seenOf(ended), status: status[ended.code] });
}

function seenOf({ code, details, metadata }: StatusObject): Record<string, unknown> {
  const [reason] = metadata.get("claw-reason").map(String);
  const [retryAfterMs] = metadata.get("claw-retry-after-ms").map(Number);
  if (reason !== undefined && !details.startsWith(`${reason}: `)) {
    throw new Error(`the status of ${reason} does not begin with that word: ${details}`);
  }
  return { code, reason: reason ?? details, message: details, retryAfterMs };
}
