import type { Delivery } from "./delivery.js";
import type { ChatHubError } from "./errors.js";
import { type Lane, type Listener, newLane, type Outcome } from "./listeners.js";

interface Held {
  delivery: Delivery;
  settle: (outcome: Outcome) => void;
}

interface Asking<T> {
  resolve: (result: IteratorResult<T, undefined>) => void;
  reject: (error: unknown) => void;
}

/**
 * Entries for one `for await` loop. Asking for the next entry says that the one before is
 * handled; leaving the loop says nothing, and the entry it held comes again to the next loop
 * or in the next session.
 */
export class EntryView<T> implements AsyncIterableIterator<T, undefined>, Listener {
  readonly lane: Lane = newLane(1);
  readonly waitedFor = false;
  readonly #convert: (delivery: Delivery) => T;
  readonly #detach: (view: EntryView<T>) => void;
  /** The loop works on it. */
  #current: Held | undefined;
  /** Here, but not asked for yet. */
  #next: Held | undefined;
  #asking: Asking<T>[] = [];
  #over = false;
  #error: ChatHubError | undefined;

  constructor(of: {
    convert: (delivery: Delivery) => T;
    detach: (view: EntryView<T>) => void;
  }) {
    this.#convert = of.convert;
    this.#detach = of.detach;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  handle(delivery: Delivery): Promise<Outcome> {
    return new Promise((settle) => {
      const held = { delivery, settle };
      const asking = this.#asking.shift();
      if (asking === undefined) this.#next = held;
      else this.#give(held, asking);
    });
  }

  /** Its channel goes on without waiting for the loop. */
  acked(delivery: Delivery): void {
    if (this.#current?.delivery === delivery) this.#current.settle("handled");
  }

  next(): Promise<IteratorResult<T, undefined>> {
    this.#current?.settle("handled");
    this.#current = undefined;
    return new Promise((resolve, reject) => {
      const asking = { resolve, reject };
      const held = this.#next;
      this.#next = undefined;
      if (held !== undefined) this.#give(held, asking);
      else if (this.#over) this.#tellOver(asking);
      else this.#asking.push(asking);
    });
  }

  /** The loop was left. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    this.#current?.settle("left");
    this.#current = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** No further entries come. @param error what the loop is told instead of simply ending */
  end(error?: ChatHubError): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#detach(this);
    this.#next?.settle("left");
    this.#next = undefined;
    for (const asking of this.#asking) this.#tellOver(asking);
    this.#asking = [];
  }

  #give(held: Held, asking: Asking<T>): void {
    // Where the next one is asked for already, this one counts as handled.
    if (this.#asking.length === 0) this.#current = held;
    else held.settle("handled");
    asking.resolve({ done: false, value: this.#convert(held.delivery) });
  }

  #tellOver(asking: Asking<T>): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) asking.resolve({ done: true, value: undefined });
    else asking.reject(error);
  }
}
