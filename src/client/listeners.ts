import { status } from "@grpc/grpc-js";
import type { Delivery } from "./delivery.js";
import { ChatHubError } from "./errors.js";
import type { IncomingKind } from "./incoming.js";
import type { Line } from "./line.js";

/**
 * What became of an entry: handled; left (whoever had it went away, and it was not handled);
 * or failed for good.
 */
export type Outcome = "handled" | "left" | "failed";

/** Takes the entries of some kinds. */
export interface Listener {
  /** Its turn: shared by those who share a limit. */
  lane: Lane;
  /** disconnect() waits for what it works on. A loop may take as long as it likes, and is not. */
  waitedFor: boolean;
  /** Works on one entry; must not reject. */
  handle(delivery: Delivery): Promise<Outcome>;
  /** The entry it works on was acked by hand. */
  acked(delivery: Delivery): void;
}

/** At most `limit` entries worked on at once, each of another channel. */
export interface Lane {
  limit: number;
  active: number;
  /** Channels whose next entry waits for a place, first come first served. */
  waiting: Set<Line>;
}

export function newLane(limit: number): Lane {
  return { limit, active: 0, waiting: new Set() };
}

/** Who listens for which kind: at most one each, so that it is clear who has handled an entry. */
export class Listeners {
  readonly #byKind = new Map<IncomingKind, Listener>();

  get(kind: IncomingKind): Listener | undefined {
    return this.#byKind.get(kind);
  }

  /** @throws ChatHubError ALREADY_LISTENING, and nothing is attached */
  attach(kinds: readonly IncomingKind[], listener: Listener): void {
    const taken = kinds.find((kind) => this.#byKind.has(kind));
    if (taken !== undefined) {
      throw new ChatHubError({
        code: status.FAILED_PRECONDITION,
        reason: "ALREADY_LISTENING",
        message: `entries of kind ${taken} are listened for already: stop that listener, or leave that loop, first`,
      });
    }
    for (const kind of kinds) this.#byKind.set(kind, listener);
  }

  /** Detaches the kinds that are still this listener's, and returns them. */
  detach(listener: Listener): IncomingKind[] {
    const kinds = [...this.#byKind].flatMap(([kind, one]) => (one === listener ? [kind] : []));
    for (const kind of kinds) this.#byKind.delete(kind);
    return kinds;
  }
}
