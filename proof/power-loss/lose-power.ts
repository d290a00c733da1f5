import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../support/random.ts";
import { sentResponses } from "../syscalls/sent-responses.ts";
import { type ToldEntry, toldEntries } from "../syscalls/told-entries.ts";
import { DB_NAME, type TracedRun } from "../syscalls/traced-run.ts";
import { emptyDisk } from "./disk.ts";
import type { Opener } from "./opener.ts";
import { checkRecoveredLog, type Findings } from "./recovered-log.ts";
import { survivors, VARIANTS, type Variant } from "./survivors.ts";

/** One power loss after which something was wrong. */
export interface Violation extends Findings {
  point: number;
  variant: Variant;
  /** Why the hub did not open it; empty where it did. */
  unopened: string;
  /** What the hub was given, and left. */
  folder: string;
}

/** What the power losses are made of. */
export interface PowerLossOptions extends TracedRun {
  /** Numbers of events before the power goes, in order. */
  points: readonly number[];
  random: Random;
  /** Where folders are made. */
  folder: string;
  opener: Opener;
  /** Called after each point. */
  progress(done: number): void;
}

/** Cuts the power at every point in every variant, and has each folder opened and checked. */
export async function losePower(options: PowerLossOptions): Promise<Violation[]> {
  const { events, said, points, random, opener, progress } = options;
  const told = toldEntries(events).filter(({ token }) => said.has(token));
  const epoch = firstEpoch(events);
  const violations: Violation[] = [];
  const disk = emptyDisk();
  let applied = 0;
  for (const [done, point] of points.entries()) {
    for (const event of events.slice(applied, point)) disk.apply(event);
    applied = point;
    const now = events[point - 1]?.at ?? 0;
    const expected = {
      told: told.filter(({ endedAt }) => endedAt <= now) satisfies ToldEntry[],
      said,
      epoch: epoch !== undefined && epoch.endedAt <= now ? epoch.name : undefined,
    };
    for (const variant of VARIANTS) {
      const folder = join(options.folder, `${point}-${variant}`);
      mkdirSync(folder);
      const found = disk.afterPowerLoss(survivors(variant, disk.pending(), random));
      for (const [name, bytes] of found) writeFileSync(join(folder, name), bytes);
      const path = join(folder, DB_NAME);
      const unopened = await opener.open(path);
      const findings =
        unopened === "" ? checkRecoveredLog(path, expected) : { lost: [], gaps: [], damaged: [] };
      if (unopened !== "" || Object.values(findings).some((one) => one.length > 0)) {
        violations.push({ point, variant, unopened, folder, ...findings });
      } else rmSync(folder, { recursive: true });
    }
    progress(done + 1);
  }
  return violations;
}

/** The epoch that the first session was told (D7), and where that was out. */
function firstEpoch(events: TracedRun["events"]): { name: string; endedAt: number } | undefined {
  for (const { response, endedAt } of sentResponses(events)) {
    const { frame } = response;
    if (frame?.$case === "sessionStarted") return { name: frame.value.storeEpoch, endedAt };
  }
  return undefined;
}
