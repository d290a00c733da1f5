import { DEFAULT_REQUEST_TIMEOUT_MS } from "../protocol/limits.js";
import type { Answers, Waiter } from "./answers.js";
import { withinBounds } from "./call-bounds.js";
import type { CallOptions } from "./call-options.js";
import { answerOfChannel } from "./from-wire.js";
import type { ChannelInfo, ChatAnswer, ChatRequestInput, Receipt } from "./vocabulary.js";

/** How long after a request's own time the hub's word about it is still waited for. */
const GRACE_MS = 30_000;

/**
 * Asks for a chat and waits for the answer.
 * @param of.send stores the request
 * @param of.channel looks a channel up
 * @param of.recallAnswer asks again for an answer that was skipped; false where it is over
 */
export async function requestAndWait(of: {
  request: ChatRequestInput;
  options: CallOptions;
  agentId: string;
  answers: Answers;
  send(request: ChatRequestInput, options: CallOptions): Promise<Receipt>;
  channel(channelId: string, options: CallOptions): Promise<ChannelInfo>;
  recallAnswer(channelId: string): boolean;
}): Promise<ChatAnswer> {
  const { request, options, agentId, answers, send, channel, recallAnswer } = of;
  const answerWithinMs = request.answerWithinMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const timeoutMs = options.timeoutMs ?? answerWithinMs + GRACE_MS;
  const given = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, given.signal]) : given.signal;
  const inner = { timeoutMs, signal };

  /** A repeat gets the first receipt, perhaps long after its answer was handled (C2). */
  async function lookUp(waiter: Waiter, channelId: string): Promise<void> {
    const comes = recallAnswer(channelId);
    const found = await channel(channelId, inner);
    const answer = answerOfChannel(found);
    const mine = found.positions.find((position) => position.agentId === agentId);
    // Not handled before: then the answer itself is on its way, with its words.
    const handled = mine !== undefined && mine.ackedSeq >= 2;
    if (answer !== undefined && (handled || !comes)) waiter.resolve(answer);
    if (found.state === "ended" && answer === undefined) answers.ended(channelId);
  }

  const bounds = { timeoutMs, signal: options.signal, what: "requestChat" };
  return withinBounds<ChatAnswer>(bounds, (resolve, reject) => {
    const waiter: Waiter = { channelId: undefined, resolve, reject };
    answers.add(waiter);
    send(request, inner)
      .then((receipt) => {
        answers.bind(waiter, receipt.channelId);
        return receipt.duplicate ? lookUp(waiter, receipt.channelId) : undefined;
      })
      .catch(reject);
    return () => {
      given.abort();
      answers.remove(waiter);
    };
  });
}
