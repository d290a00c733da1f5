import { DELIVERING_MUTANTS } from "./delivering-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { STORING_MUTANTS } from "./storing-mutants.ts";

/** Every seeded bug. Each is caught by the validator it names, or that one proves too little. */
export const MUTANTS: readonly Mutant[] = [...STORING_MUTANTS, ...DELIVERING_MUTANTS];

/** The hub as it is, through the same machinery: what a validator is held against. */
export const NO_MUTANT = { name: "none", edits: [] } as const;

/** @throws Error when there is no mutant of that name */
export function mutantNamed(name: string): Pick<Mutant, "name" | "edits"> {
  if (name === NO_MUTANT.name) return NO_MUTANT;
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant !== undefined) return mutant;
  throw new Error(`there is no mutant ${name}; there are ${MUTANTS.map((one) => one.name)}`);
}
