import { setTimeout as delay } from "node:timers/promises";
import type { ChatClient } from "../client/chat-client.js";
import { ChatHubError } from "../client/errors.js";
import type { ChannelInfo } from "../client/vocabulary.js";
import { CommandError, describeFailure, EXIT, isUnreachable } from "./exit.js";
import { printable } from "./printable.js";

const LOOK_EVERY_MS = 250;

/** How long to look, and how. */
export interface LookBounds {
  /** How long the answer may take in all. */
  withinMs: number;
  /** How long the hub may take to answer one look. */
  lookMs: number;
  signal: AbortSignal;
  /** Say nothing while the hub is away. */
  quiet: boolean;
}

/**
 * Looks at a channel until its request is no longer pending. A hub that is away may come back.
 * @throws CommandError that names the channel: interrupted, refused, or nothing within the time
 */
export async function answeredChannel(
  client: ChatClient,
  channelId: string,
  { withinMs, lookMs, signal, quiet }: LookBounds,
): Promise<ChannelInfo> {
  const place = printable(channelId);
  const giveUpAt = performance.now() + withinMs;
  let away: ChatHubError | undefined;
  for (let leftMs = withinMs; leftMs > 0; leftMs = giveUpAt - performance.now()) {
    try {
      const look = { signal, timeoutMs: Math.min(lookMs, leftMs) };
      const { channel } = await client.getHistory({ channelId, limit: 1 }, look);
      if (channel.state !== "requested") return channel;
      away = undefined;
      await delay(LOOK_EVERY_MS, undefined, { signal });
    } catch (error) {
      if (signal.aborted) {
        throw new CommandError(
          `no longer waiting; the request stays pending in ${place} until it is answered or expires.`,
          EXIT.interrupted,
        );
      }
      if (!mayComeBack(error)) throw failureIn(place, error);
      if (away === undefined && !quiet) {
        process.stderr.write(`no word from the hub about ${place}; looking again\n`);
      }
      away = error;
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }
  if (away !== undefined) throw failureIn(place, away);
  throw new CommandError(`${place} is still pending after its time.`, EXIT.failed);
}

function mayComeBack(error: unknown): error is ChatHubError {
  return error instanceof ChatHubError && error.retryable && isUnreachable(error);
}

/** The same failure, with the channel to look into later. */
function failureIn(place: string, cause: unknown): CommandError {
  const { exitCode, sentence } = describeFailure(cause);
  return new CommandError(`the request is in ${place}, but ${sentence}`, exitCode, { cause });
}
