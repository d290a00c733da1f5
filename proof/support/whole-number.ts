import { InvalidArgumentError } from "commander";

/** Reads the value of an option that must be a whole number, 1 or greater. */
export function atLeastOne(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("use a whole number greater than 0");
}

/** Reads the value of `--seed`: a whole number, 0 or greater. */
export function seedOf(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("use a whole number");
}

/** A seed for a run that was given none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
