/** Room for so many items and bytes; an item that is larger than that may be in it alone. */
export interface Budget {
  /** Whether an item of this size may be added. Where not, there is no room for any until it may. */
  fits(sizeBytes: number): boolean;
  /** Counts an item, whether or not it fits. */
  add(sizeBytes: number): void;
  remove(sizeBytes: number): void;
  /** What may still be added; none of either while an item that was turned away does not fit. */
  room(): { items: number; bytes: number };
  /** At most half of it is taken. */
  isRelaxed(): boolean;
}

const NONE = { items: 0, bytes: 0 };

/** An empty budget. */
export function createBudget(of: { maxItems: number; maxBytes: number }): Budget {
  return new Counted(of.maxItems, of.maxBytes);
}

/** Each session has two: as closures they would take ten times as much of its memory. */
class Counted implements Budget {
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #items = 0;
  #bytes = 0;
  /** Size of the item that waits for room: smaller ones do not overtake it for ever. */
  #turnedAway = 0;

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
  }

  fits(sizeBytes: number): boolean {
    if (this.#turnedAway > 0 && !this.#couldTake(this.#turnedAway)) return false;
    this.#turnedAway = this.#couldTake(sizeBytes) ? 0 : sizeBytes;
    return this.#turnedAway === 0;
  }

  add(sizeBytes: number): void {
    this.#items += 1;
    this.#bytes += sizeBytes;
  }

  remove(sizeBytes: number): void {
    this.#items -= 1;
    this.#bytes -= sizeBytes;
  }

  room(): { items: number; bytes: number } {
    if (this.#turnedAway > 0 && !this.#couldTake(this.#turnedAway)) return NONE;
    if (this.#items >= this.#maxItems || this.#bytes >= this.#maxBytes) return NONE;
    return { items: this.#maxItems - this.#items, bytes: this.#maxBytes - this.#bytes };
  }

  isRelaxed(): boolean {
    return (
      this.#items === 0 || (this.#items <= this.#maxItems / 2 && this.#bytes <= this.#maxBytes / 2)
    );
  }

  #couldTake(sizeBytes: number): boolean {
    // Places that are kept have no bytes, and do not bar an item that is too large for company.
    return (
      this.#items < this.#maxItems &&
      (this.#bytes === 0 || this.#bytes + sizeBytes <= this.#maxBytes)
    );
  }
}
