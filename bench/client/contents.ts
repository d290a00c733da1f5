/** Contents that tell when one is missing or in the wrong place. */
export interface Contents {
  /** The next one to send. */
  next(): string;
  /** Whether this is the next one to take. */
  isNext(content: string): boolean;
}

const DIGITS = 10;

export function createContents(sizeBytes: number): Contents {
  const filler = "x".repeat(Math.max(0, sizeBytes - DIGITS));
  let sent = 0;
  let taken = 0;
  const numbered = (number: number) => String(number).padStart(DIGITS, "0") + filler;
  return {
    next: () => numbered(sent++),
    isNext: (content) => content === numbered(taken++),
  };
}
