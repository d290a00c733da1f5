import { DELIVERING_MUTANTS } from "./delivering-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { STORING_MUTANTS } from "./storing-mutants.ts";

/** Every seeded bug. Each is caught by the validator it names, or that one proves too little. */
export const MUTANTS: readonly Mutant[] = [...STORING_MUTANTS, ...DELIVERING_MUTANTS];

/** @throws Error when there is no mutant of that name */
export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  throw new Error(`there is no mutant ${name}; there are ${MUTANTS.map((one) => one.name)}`);
}
