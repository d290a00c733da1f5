import type { Mutant, ValidatorName } from "./mutant.ts";

/** How a validator is run against one mutant, or against none. */
export interface Validator {
  /** What Node runs, and with which words. */
  words: readonly string[];
  env?: Record<string, string>;
  /** The flag or the variable that takes the seed, where something is drawn. */
  seed?: { flag: string } | { variable: string };
  /** Words of its mutants only choose among its cases: all of them together are one control. */
  oneControl?: true;
  /**
   * It may run beside the others: it mostly waits for time to pass, or time is nothing to it.
   * Default: it runs alone, but for such.
   */
  beside?: true;
}

/** What the hub does about input that is meant to harm it, one thing a test. */
export const FLOOD_TESTS = [
  "test/server/hostile-http2.test.ts",
  "test/server/unfinished-requests.test.ts",
  "test/server/held-sessions.test.ts",
];

/**
 * Small runs: a mutant is to be caught in seconds. As controls they must pass. The name of a
 * validator is that of its folder in `proof/`; `model`, `matrix` and `floods`
 * are tests.
 */
export const VALIDATORS: Record<ValidatorName, Validator> = {
  clock: { words: ["proof/clock/main.ts", "--hubs", "1"], seed: { flag: "--seed" } },
  crash: { words: ["proof/crash/main.ts", "--kills", "6"], seed: { flag: "--seed" } },
  cuts: { words: ["proof/cuts/main.ts", "--samples", "60"], seed: { flag: "--seed" } },
  failpoints: { words: ["proof/failpoints/main.ts"], seed: { flag: "--seed" } },
  floods: {
    words: ["node_modules/vitest/vitest.mjs", "run", ...FLOOD_TESTS, "--bail", "1"],
    oneControl: true,
    beside: true,
  },
  fuzz: { words: ["proof/fuzz/main.ts", "--seconds", "5"], seed: { flag: "--seed" } },
  "half-open": { words: ["proof/half-open/main.ts"], beside: true },
  "judge-client": {
    words: ["conformance/client/main.ts", "--timeout", "15"],
    oneControl: true,
    beside: true,
  },
  matrix: {
    words: ["node_modules/vitest/vitest.mjs", "run", "test/security/matrix.test.ts", "--bail", "1"],
    oneControl: true,
    beside: true,
  },
  model: {
    words: ["node_modules/vitest/vitest.mjs", "run", "test/model", "--bail", "1"],
    env: { MODEL_RUNS: "1000" },
    seed: { variable: "MODEL_SEED" },
    beside: true,
  },
  "power-loss": { words: ["proof/power-loss/main.ts"], seed: { flag: "--seed" } },
  rolling: {
    words: ["proof/rolling/main.ts", "--restarts", "2", "--no-stalled"],
    seed: { flag: "--seed" },
  },
  stalled: { words: ["proof/stalled/main.ts"] },
  storage: { words: ["proof/storage/main.ts"], seed: { flag: "--seed" } },
  syscalls: { words: ["proof/syscalls/main.ts", "--messages", "400"], seed: { flag: "--seed" } },
};

/** A validator, and its words in short, to be printed. */
export type LabelledValidator = Validator & { label: string };

/** The validator named for a mutant, with the words that the mutant adds. */
export function validatorOf({ caughtBy, words = [] }: Mutant): LabelledValidator {
  const validator = VALIDATORS[caughtBy];
  const label = [caughtBy, ...words.filter((word) => !word.startsWith("-"))].join(" ");
  return { ...validator, words: [...validator.words, ...words], label };
}

/** What is run without a mutant, for what is run with it. */
export function controlOf(mutant: Mutant): LabelledValidator {
  const { caughtBy } = mutant;
  const validator = VALIDATORS[caughtBy];
  return validator.oneControl ? { ...validator, label: caughtBy } : validatorOf(mutant);
}
