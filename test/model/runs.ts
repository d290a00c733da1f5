/** Runs of all model-based tests together where MODEL_RUNS says nothing. */
const DEFAULT_RUNS = 1_000;

/**
 * How often one of the model-based tests runs, and from which seed: MODEL_RUNS in all, of which
 * it has its share, and MODEL_SEED to repeat what was printed. MODEL_PATH goes straight to the
 * shrunk counterexample.
 * @param share of those runs; above 1 for one that costs little
 */
export function modelRuns(share: number): { numRuns: number; seed?: number; path?: string } {
  const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env;
  const numRuns = Math.max(1, Math.ceil(number("MODEL_RUNS", MODEL_RUNS, DEFAULT_RUNS) * share));
  return {
    numRuns,
    ...(MODEL_SEED && { seed: number("MODEL_SEED", MODEL_SEED, 0) }),
    ...(MODEL_PATH && { path: MODEL_PATH }),
  };
}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} is ${text}; use a whole number`);
  return value;
}

/** How long all runs of one test may take, in milliseconds: a runaway is stopped, not a slow day. */
export const runsTimeoutMs = (numRuns: number): number => 60_000 + numRuns * 200;
