import { InvalidArgumentError } from "commander";

/** Reads the value of an option that must be a whole number, 0 or greater, such as a seed. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("use a whole number");
}

/** Reads the value of an option that must be a whole number, 1 or greater. */
export function atLeastOne(text: string): number {
  const value = wholeNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("use a whole number greater than 0");
}

/** A seed for a run that was given none. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}
