import type { Random } from "../support/random.ts";
import type { TraceEvent } from "../syscalls/trace-events.ts";
import { DB_NAME } from "../syscalls/traced-run.ts";

/** When the power may go: each is a fifth of a sample. */
export const PHASES = ["creation", "recovery", "checkpoint", "sends", "anywhere"] as const;
export type Phase = (typeof PHASES)[number];

/**
 * Moments at which the power goes, each the number of events before it, in order: while the
 * database is created, between the kill of a hub and the next fsync of its log, while a checkpoint
 * copies the log into the database, right after something was sent, and anywhere.
 * @param of.count at most as many
 * @param of.phase only this one; default all, in equal parts
 */
export function samplePoints(
  events: readonly TraceEvent[],
  { count, random, phase }: { count: number; random: Random; phase?: Phase | undefined },
): number[] {
  const moments = events.map((_, index) => index + 1);
  const firstSend = events.findIndex(({ kind }) => kind === "send");
  const database = events.find((one) => one.kind === "create" && one.name === DB_NAME);
  const kill = events.findIndex(({ kind }) => kind === "end");
  const log = events.find((one) => one.kind === "create" && one.name === `${DB_NAME}-wal`);
  const nextSync = events.findIndex(
    (event, index) => event.kind === "sync" && index > kill && isOf(event, log),
  );
  const isIn: Record<Phase, (moment: number) => boolean> = {
    creation: (moment) => moment <= firstSend,
    recovery: (moment) => moment > kill && moment <= nextSync + 1,
    checkpoint: (moment) => moment > firstSend && isOf(events[moment - 1], database),
    sends: (moment) => events[moment - 1]?.kind === "send",
    anywhere: () => true,
  };
  const phases = phase === undefined ? PHASES : [phase];
  const chosen = phases.flatMap((one, index) => {
    const share = Math.floor(count / phases.length) + (index < count % phases.length ? 1 : 0);
    return choose(moments.filter(isIn[one]), share, random);
  });
  return ordered(chosen);
}

/** Right before and right after every fsync returned. */
export function everyFsync(events: readonly TraceEvent[]): number[] {
  const found = events.flatMap(({ kind }, index) =>
    kind === "sync" || kind === "sync-folder" ? [index, index + 1] : [],
  );
  return ordered(found);
}

/** Whether it is about the file that was created there. */
function isOf(event: TraceEvent | undefined, created: TraceEvent | undefined): boolean {
  const fileOf = (of: TraceEvent | undefined) => (of && "file" in of ? of.file : undefined);
  return fileOf(event) !== undefined && fileOf(event) === fileOf(created);
}

function choose(from: readonly number[], count: number, random: Random): number[] {
  const left = [...from];
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0) {
    chosen.push(...left.splice(random.int(0, left.length - 1), 1));
  }
  return chosen;
}

function ordered(points: readonly number[]): number[] {
  return [...new Set(points)].sort((one, other) => one - other);
}
