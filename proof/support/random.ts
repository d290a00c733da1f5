import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Choices that a seed repeats. */
export interface Random {
  /** A whole number from least to most, both included. */
  int(least: number, most: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
}

/** The same seed makes the same choices in the same order. */
export function randomFrom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const int = (least: number, most: number) => uniformInt(generator, least, most);
  return {
    int,
    pick(items) {
      const item = items[int(0, items.length - 1)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
