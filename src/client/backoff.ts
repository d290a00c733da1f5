import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from "cockatiel";

/** Delays that grow exponentially, each drawn between 0 and its bound (full jitter). */
export interface Backoff {
  /** The next delay, in milliseconds. */
  nextDelayMs(): number;
  /** Starts over: things went well. */
  reset(): void;
}

/** Delays whose bounds begin at initialMs and double up to maxMs. */
export function createBackoff(bounds: { initialMs: number; maxMs: number }): Backoff {
  let step: IBackoff<unknown> | undefined;
  // Made when it is needed: every message has one, and hardly any is repeated.
  const first = () =>
    new ExponentialBackoff({
      generator: fullJitterGenerator,
      initialDelay: bounds.initialMs,
      maxDelay: bounds.maxMs,
    }).next();
  return {
    nextDelayMs() {
      step = step === undefined ? first() : step.next(undefined);
      return step.duration;
    },
    reset() {
      step = undefined;
    },
  };
}
