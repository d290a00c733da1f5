import type { HandlerFailure, PeerProgress } from "./incoming.js";
import type { ChatClientOptions, TracedFrame } from "./options.js";

/** A caller's callbacks, each there and each harmless. */
export interface Hooks {
  onFailed(failure: HandlerFailure): void;
  onFrame(frame: TracedFrame): void;
  onProgress(progress: PeerProgress): void;
}

export function hooksOf({ onFailed, onFrame, onProgress }: ChatClientOptions): Hooks {
  return {
    onFailed: guarded("onFailed", onFailed ?? warnOfFailure),
    onFrame: guarded("onFrame", onFrame ?? (() => {})),
    onProgress: guarded("onProgress", onProgress ?? (() => {})),
  };
}

/**
 * A caller's callback that cannot do harm: thrown in the middle of the client's work, its
 * error would end the process or the session. It is given as a process warning instead.
 */
function guarded<Args extends unknown[]>(
  name: string,
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      process.emitWarning(`${name} threw ${nameOf(error)}`, "ChatClientWarning");
    }
  };
}

/** Says that a handler failed, and nothing of what the entry contains. */
function warnOfFailure({ channelId, seq, error, stopped }: HandlerFailure): void {
  const consequence = stopped ? "the channel stands still" : "the entry was acked already";
  process.emitWarning(
    `the handler for channel ${channelId} threw ${nameOf(error)} at seq ${seq}: ${consequence}`,
    "ChatClientWarning",
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
