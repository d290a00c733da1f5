import { join } from "node:path";
import type { Bench } from "../measure/bench.ts";
import { measureOnce, warmUp } from "../measure/rounds.ts";
import { spreadOf } from "../measure/statistics.ts";
import { medianSyncMs } from "../measure/sync-time.ts";
import { newTable, times } from "../report/new-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";
import { startBaseline } from "../systems/systems.ts";

/** Goal 3: how long one message takes, beside a relay that stores nothing and a sync of the disk. */
export async function latency(bench: Bench): Promise<Part> {
  const baseline = await startBaseline();
  const hub = await startHub({ db: join(bench.folder, "latency.db") });
  const load = { flows: 1, inFlight: 1, sizeBytes: 256 };
  const bare: number[] = [];
  const stored: number[] = [];
  const syncs: number[] = [];
  await warmUp(bench, [baseline, hub], load);
  for (let round = 1; round <= bench.rounds; round += 1) {
    bare.push((await measureOnce(bench, baseline, load)).p50Ms);
    syncs.push(medianSyncMs(bench.folder));
    stored.push((await measureOnce(bench, hub, load)).p50Ms);
    bench.say(`  round ${round} of ${bench.rounds}: ${stored.at(-1)?.toFixed(2)} ms`);
  }
  await baseline.end();
  await hub.end();
  const bound = bare.map((ms, round) => ms + (syncs[round] ?? Number.NaN));
  const ratio = spreadOf(stored.map((ms, round) => ms / (bound[round] ?? Number.NaN)));
  const table = newTable(["", "median ms", "least–most"], "lrr");
  const add = (name: string, figures: number[]) => {
    const { median, least, most } = spreadOf(figures);
    table.push([name, median.toFixed(3), `${least.toFixed(3)}–${most.toFixed(3)}`]);
  };
  add("grpc-js relay: receipt and delivery", bare);
  add("one sync of the disk (4 KiB, fdatasync)", syncs);
  add("both together", bound);
  add("this hub: receipt and delivery", stored);
  return {
    title: "One pair, one message in flight, 256 bytes: the median of a message",
    text: `${table}\nratio ${times(ratio.median)} (${times(ratio.least)}–${times(ratio.most)})`,
    findings: { latency: { measured: ratio.median } },
  };
}
