import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DB_NAME } from "../crash/check-folder.ts";
import { type CrashResult, runCrash } from "../crash/run-crash.ts";
import type { Target } from "../crash/strike.ts";
import { randomFrom } from "../support/random.ts";
import type { FakeClock } from "./faketime.ts";
import { createProbes, type Probes } from "./probes.ts";

/** What a run with a clock that jumps showed. `sentences` has what was not as promised. */
export interface ClockResult extends CrashResult {
  /** Jumps of a running hub that were seen in what it stored. */
  jumps: number;
  /** Requests that pended while a hub was down, and that another could be compared with. */
  outlived: number;
  /** Requests that expired too soon, too late, or more than once. */
  early: number;
  late: number;
  doubled: number;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Where the clock of each hub jumps to in turn, in seconds from the real time. */
const JUMPS = [HOUR, -HOUR, 0, DAY, -DAY, 0];
/** What happens to it while the hub is down. */
const WHILE_DOWN = [
  { clock: "kept", offset: 0 },
  { clock: "back", offset: -HOUR },
  { clock: "kept", offset: 0 },
  { clock: "forward", offset: HOUR },
] as const;
/** Requests that wait for days, beside every jump. */
const STAYING = 20;
const WEEK_MS = 7 * DAY * 1_000;
/** Longer than a hub is down on a busy machine. */
const DOWN_PROBE_MS = 8_000;
/** Shorter than any hub is down. */
const LONGER_MS = 100;
/** Receipts of the load between two jumps. */
const RECEIPTS = 60;

/** Sets the clock of a hub under load, and ends and starts the hub in between. */
export async function runClock(of: {
  /** Hubs, each with six jumps. */
  hubs: number;
  seed: number;
  clock: (file: string) => Promise<FakeClock | undefined>;
  progress: (sentence: string) => void;
}): Promise<ClockResult | undefined> {
  const { hubs, seed } = of;
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-clock-"));
  const clock = await of.clock(join(folder, "clock"));
  if (clock === undefined) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const random = randomFrom(seed);
  const wrong: string[] = [];
  let probes: Probes | undefined;
  let asked = 0;
  let jumps = 0;
  let outlived = 0;
  let life = 0;
  let offset = 0;
  let whileDown: { clock: "kept" | "back" | "forward"; offset: number } = WHILE_DOWN[0];

  async function set(to: number): Promise<void> {
    offset = to;
    await clock?.set(to);
  }

  /** Asks a thing, and sees whether the hub's clock is where it was set. */
  async function ask(timeoutMs: number, after?: string): Promise<boolean> {
    asked += 1;
    const key = `probe-${asked}`;
    const aheadSeconds = await probes?.ask({ key, timeoutMs, ...(after && { after }) });
    if (Math.abs((aheadSeconds ?? Infinity) - offset) < 60) return true;
    wrong.push(`${key}: the clock is ${aheadSeconds} s ahead, and should be ${offset} s`);
    return false;
  }

  /**
   * What pended while the hub was down, with its clock kept, has what is left of its time: less
   * than a request that is made now for a little longer. The order shows it on a slow day as well.
   */
  async function outlive(): Promise<void> {
    const key = `probe-${asked}`;
    const leftMs = Math.round(probes?.leftMs(key) ?? 0);
    if (leftMs < 1) return;
    outlived += 1;
    await ask(leftMs + LONGER_MS, key);
  }

  async function resumed(): Promise<void> {
    probes?.dial();
    probes?.restarted(whileDown.clock);
    if (whileDown.clock === "kept") await outlive();
  }

  async function strike({ hub, receipts }: Target) {
    probes ??= createProbes({ address: hub.address, folder, random });
    probes.dial();
    if (life > 0) await resumed();
    else await Promise.all(staying(probes));
    life += 1;
    let counted = 0;
    for (const to of JUMPS) {
      // One that waits while the clock is set, and one that begins after it.
      await ask(2_000);
      await set(to);
      if (await ask(2_000)) jumps += 1;
      counted += RECEIPTS;
      await receipts(counted);
    }
    await probes.answered();
    of.progress(`${life} of ${hubs} hubs, ${jumps} jumps`);
    // It pends while the hub is down.
    await ask(DOWN_PROBE_MS);
    const atMs = performance.now();
    const { code } = await hub.end("SIGTERM");
    const stopMs = performance.now() - atMs;
    whileDown = WHILE_DOWN[(life - 1) % WHILE_DOWN.length] ?? whileDown;
    await set(whileDown.offset);
    // Now, because an expiry may be delivered before anybody here knows that the hub is back; and
    // once more when it is, because that is when a time begins anew.
    probes.restarted(whileDown.clock);
    return code === 0
      ? { atMs, stopMs }
      : { atMs, stopMs, wrong: `exit code ${code}: ${hub.log()}` };
  }

  const result = await runCrash({
    ...{ kills: hubs, seed, folder, strike },
    hub: () => ({ env: clock.env }),
    async leave() {
      await resumed();
      await probes?.answered();
      await probes?.leave();
    },
  });
  const { early = [], late = [] } = probes ?? {};
  const doubled = rejectedTwice(join(folder, DB_NAME));
  const sentences = [...result.sentences, ...wrong, ...early, ...late, ...doubled];
  if (sentences.length === 0) await rm(folder, { recursive: true });
  return {
    ...{ ...result, sentences, jumps, outlived },
    ...{ early: early.length, late: late.length, doubled: doubled.length },
  };
}

function staying(probes: Probes): Promise<number>[] {
  return Array.from({ length: STAYING }, (_, index) =>
    probes.ask({ key: `stays-${index}`, timeoutMs: WEEK_MS, stays: true }),
  );
}

/** Channels with more than one reject, read from the hub's file. */
function rejectedTwice(db: string): string[] {
  const file = new DatabaseSync(db, { readOnly: true });
  const rows = file
    .prepare("SELECT channel, count(*) AS times FROM entries WHERE kind = 3 GROUP BY channel")
    .all();
  file.close();
  return rows
    .filter(({ times }) => Number(times) > 1)
    .map(({ channel, times }) => `channel ${channel} was rejected ${times} times`);
}
