import { status } from "@grpc/grpc-js";
import type { Delivery } from "./delivery.js";
import { ChatHubError } from "./errors.js";
import { answerOf } from "./from-wire.js";
import type { ChatAnswer } from "./vocabulary.js";

/** A requestChat that waits: first for the receipt that names its channel, then for the answer. */
export interface Waiter {
  channelId: string | undefined;
  resolve: (answer: ChatAnswer) => void;
  reject: (error: unknown) => void;
}

/** Finds for each answer the requestChat it belongs to. */
export interface Answers {
  /** Some requestChat waits: answers are to be kept for it. */
  readonly expected: boolean;
  add(waiter: Waiter): void;
  remove(waiter: Waiter): void;
  /** The receipt named the waiter's channel. */
  bind(waiter: Waiter, channelId: string): void;
  /** Gives an accept or reject to those who wait for it; undecided while receipts are missing. */
  claim(delivery: Delivery): "claimed" | "undecided" | "not mine";
  /** The channel is over without an answer: taken back, or ended by an operator. */
  ended(channelId: string): void;
  /** Another log (D7): no answer comes to requests that only the old one has. */
  storeChanged(): void;
  failAll(error: ChatHubError): void;
}

/** @param changed told when a requestChat begins to wait, and when a claim may be decided now */
export function createAnswers(changed: () => void): Answers {
  const waiters = new Set<Waiter>();

  function waitingFor(channelId: string): Waiter[] {
    return [...waiters].filter((waiter) => waiter.channelId === channelId);
  }

  return {
    get expected() {
      return waiters.size > 0;
    },
    add(waiter) {
      waiters.add(waiter);
      changed();
    },
    remove(waiter) {
      if (waiters.delete(waiter)) changed();
    },
    bind(waiter, channelId) {
      waiter.channelId = channelId;
      changed();
    },
    claim({ channelId, frame }) {
      if (frame.$case !== "chatAccept" && frame.$case !== "chatReject") return "not mine";
      const mine = waitingFor(channelId);
      if (mine.length > 0) {
        const answer = answerOf(frame);
        for (const waiter of mine) waiter.resolve(answer);
        return "claimed";
      }
      // After a reconnect the answer can be here before the repeated receipt.
      const missing = [...waiters].some((waiter) => waiter.channelId === undefined);
      return missing ? "undecided" : "not mine";
    },
    ended(channelId) {
      for (const waiter of waitingFor(channelId)) {
        waiter.reject(
          new ChatHubError({
            code: status.FAILED_PRECONDITION,
            reason: "CHANNEL_ENDED",
            message: "the request was taken back or its channel ended before it was answered",
          }),
        );
      }
    },
    storeChanged() {
      // Those without a receipt go out again, to the new log.
      for (const waiter of [...waiters].filter(({ channelId }) => channelId !== undefined)) {
        waiter.reject(
          new ChatHubError({
            code: status.ABORTED,
            reason: "STORE_CHANGED",
            message: "the hub has another log now, without this request: ask again",
            retryable: true,
          }),
        );
      }
    },
    failAll(error) {
      for (const waiter of [...waiters]) waiter.reject(error);
    },
  };
}
