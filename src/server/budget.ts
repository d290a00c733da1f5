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
  const { maxItems, maxBytes } = of;
  let items = 0;
  let bytes = 0;
  /** Size of the item that waits for room: smaller ones do not overtake it for ever. */
  let turnedAway = 0;

  function couldTake(sizeBytes: number): boolean {
    // Places that are kept have no bytes, and do not bar an item that is too large for company.
    return items < maxItems && (bytes === 0 || bytes + sizeBytes <= maxBytes);
  }

  return {
    fits(sizeBytes) {
      if (turnedAway > 0 && !couldTake(turnedAway)) return false;
      turnedAway = couldTake(sizeBytes) ? 0 : sizeBytes;
      return turnedAway === 0;
    },
    add(sizeBytes) {
      items += 1;
      bytes += sizeBytes;
    },
    remove(sizeBytes) {
      items -= 1;
      bytes -= sizeBytes;
    },
    room() {
      if (turnedAway > 0 && !couldTake(turnedAway)) return NONE;
      if (items >= maxItems || bytes >= maxBytes) return NONE;
      return { items: maxItems - items, bytes: maxBytes - bytes };
    },
    isRelaxed: () => items === 0 || (items <= maxItems / 2 && bytes <= maxBytes / 2),
  };
}
