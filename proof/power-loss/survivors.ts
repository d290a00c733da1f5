import type { Random } from "../support/random.ts";
import type { Change, NameChange } from "./disk.ts";

/** What a disk may do with what no fsync has covered. */
export const VARIANTS = ["synced", "prefix", "sectors"] as const;
export type Variant = (typeof VARIANTS)[number];

type Pending = Change | NameChange;
const SECTOR_BYTES = 512;

/**
 * What of the unsynced changes reaches the disk: in `synced` nothing, in `prefix` the first of
 * them and a part of the next, in `sectors` any of them, writes by the sector.
 */
export function survivors(
  variant: Variant,
  pending: readonly Pending[],
  random: Random,
): Pending[] {
  switch (variant) {
    case "synced":
      return [];
    case "prefix": {
      const whole = random.int(0, pending.length);
      return [...pending.slice(0, whole), ...torn(pending[whole], random)];
    }
    case "sectors": {
      // Now nearly nothing, now half of it, now nearly everything.
      const percent = random.pick([10, 50, 90]);
      const stays = () => random.int(1, 100) <= percent;
      return pending
        .flatMap((change): Pending[] => (change.kind === "write" ? sectorsOf(change) : [change]))
        .filter(stays);
    }
    default:
      throw variant satisfies never;
  }
}

function torn(change: Pending | undefined, random: Random): Pending[] {
  if (change?.kind !== "write") return [];
  return [{ ...change, bytes: change.bytes.subarray(0, random.int(0, change.bytes.length)) }];
}

/** The parts of a write that lie in one sector of the disk each. */
function sectorsOf(write: Extract<Change, { kind: "write" }>): Change[] {
  const parts: Change[] = [];
  const end = write.offset + write.bytes.length;
  for (let from = write.offset; from < end; ) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    const bytes = write.bytes.subarray(from - write.offset, to - write.offset);
    parts.push({ ...write, offset: from, bytes });
    from = to;
  }
  return parts;
}
