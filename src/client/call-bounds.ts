import { status } from "@grpc/grpc-js";
import { ChatHubError } from "./errors.js";

/** The longest a timer of Node can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a call may take, and who may give it up. */
export interface CallBounds {
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** What was asked for, for the error's sentence, such as "sendMessage". */
  what: string;
  /** What stood in the way so far, for the sentence of a TIMEOUT. */
  trouble?: () => string | undefined;
}

/**
 * A promise that settles when begin's callbacks say so, or when the bounds are reached.
 * @param begin starts the work; what it returns is called once, however the call settles
 * @returns rejects with TIMEOUT or ABORTED_BY_CALLER at the bounds
 */
export function withinBounds<T>(
  bounds: CallBounds,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  const { timeoutMs, signal, what } = bounds;
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortedError(what, signal));
      return;
    }
    let settled = false;
    let cleanUp: (() => void) | undefined;
    const settle = (tell: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      cleanUp?.();
      tell();
    };
    const onAbort = () => settle(() => reject(abortedError(what, signal)));
    const timer =
      timeoutMs > MAX_TIMER_MS
        ? undefined
        : setTimeout(() => settle(() => reject(timeoutError(bounds))), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    cleanUp = begin(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    // begin may have settled before it returned.
    if (settled) cleanUp();
  });
}

function timeoutError({ what, timeoutMs, trouble }: CallBounds): ChatHubError {
  const detail = trouble?.();
  return new ChatHubError({
    code: status.DEADLINE_EXCEEDED,
    reason: "TIMEOUT",
    message: `${what} had no answer within ${timeoutMs} ms${detail ? ` (${detail})` : ""}`,
    retryable: true,
  });
}

function abortedError(what: string, signal: AbortSignal | undefined): ChatHubError {
  return new ChatHubError({
    code: status.CANCELLED,
    reason: "ABORTED_BY_CALLER",
    message: `${what} was given up by its caller`,
    cause: signal?.reason,
  });
}
