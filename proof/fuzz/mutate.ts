import type { Random } from "../support/random.ts";

/** Bytes that mean nothing. */
export function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.int(0, most) }, () => random.int(0, 255)));
}

/** Bytes that meant something, with one to four changes. */
export function mutated(random: Random, bytes: Uint8Array): Buffer {
  let changed = Buffer.from(bytes);
  for (let changes = random.int(1, 4); changes > 0 && changed.length > 0; changes -= 1) {
    const from = random.int(0, changed.length - 1);
    const to = Math.min(changed.length, from + random.int(1, 16));
    const [before, piece, after] = [
      changed.subarray(0, from),
      changed.subarray(from, to),
      changed.subarray(to),
    ];
    switch (random.pick(["flip", "noise", "drop", "double", "truncate", "extreme"])) {
      case "flip":
        changed[from] = (changed[from] ?? 0) ^ (1 << random.int(0, 7));
        break;
      case "noise":
        changed = Buffer.concat([before, noise(random, 16), after]);
        break;
      case "drop":
        changed = Buffer.concat([before, after]);
        break;
      case "double":
        changed = Buffer.concat([before, piece, piece, after]);
        break;
      case "truncate":
        changed = before;
        break;
      default:
        changed = Buffer.concat([before, Buffer.alloc(piece.length, random.pick([0, 255])), after]);
    }
  }
  return changed;
}
