import { InvalidArgumentError } from "commander";
import type { Random } from "../support/random.ts";
import type { Cut, Role } from "./conversation.ts";
import type { Direction } from "./cut-proxy.ts";

/** How many bytes the connection of each role carries in each direction. */
export type Lengths = Record<Role, Record<Direction, number>>;

/** Which places are cut: so many, spread evenly; or every n-th byte. */
export type Choice = { samples: number } | { every: number };

const ROLES: Role[] = ["consumer", "provider", "reader"];
const DIRECTIONS: Direction[] = ["sent", "received"];

/** The cuts to make. Whether one is by RST or FIN, and where a sample lies, the seed decides. */
export function planCuts(lengths: Lengths, choice: Choice, random: Random): Cut[] {
  return ROLES.flatMap((role) =>
    DIRECTIONS.flatMap((direction) =>
      offsetsIn(lengths[role][direction], choice, random).map((offset): Cut => {
        return { role, direction, offset, how: random.pick(["reset", "close"]) };
      }),
    ),
  );
}

function offsetsIn(length: number, choice: Choice, random: Random): number[] {
  if ("every" in choice) {
    const count = Math.ceil(length / choice.every);
    return Array.from({ length: count }, (_, index) => index * choice.every);
  }
  // One place drawn from each of so many equal stretches.
  const count = Math.ceil(choice.samples / (ROLES.length * DIRECTIONS.length));
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * length) / count);
    const to = Math.floor(((index + 1) * length) / count) - 1;
    return random.int(from, Math.max(from, to));
  });
}

/** A cut as `--cut` takes it: `consumer:sent:1234:reset`. */
export function nameOf({ role, direction, offset, how }: Cut): string {
  return [role, direction, offset, how].join(":");
}

/** @throws InvalidArgumentError where the text names no cut */
export function cutNamed(text: string): Cut {
  const match = /^(consumer|provider|reader):(sent|received):(\d+):(reset|close)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      "use role:direction:offset:how, such as consumer:sent:1234:reset; roles are consumer, " +
        "provider and reader, directions sent and received",
    );
  }
  const [, role, direction, offset, how] = match;
  return { role, direction, offset: Number(offset), how } as Cut;
}
