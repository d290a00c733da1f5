import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askedFigure } from "../measure/asked-figure.ts";
import type { Bench } from "../measure/bench.ts";
import { measureOnce, perSecond, type Rounds, standardLoad, warmUp } from "../measure/rounds.ts";
import { ratioOf, spreadOf } from "../measure/statistics.ts";
import { loadTable } from "../report/load-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";

const DELAY_US = 5_000;
const fileHere = (path: string) => fileURLToPath(new URL(`../slow-disk/${path}`, import.meta.url));

/** What is left of the hub's rate, and of its event loop, when every sync of the disk takes 5 ms longer. */
export async function slowDisk(bench: Bench): Promise<Part> {
  const title = `64 pairs, 32 in flight, when every sync takes ${DELAY_US / 1000} ms longer`;
  const shim = join(bench.folder, "delay-sync.so");
  const compiler = spawnSync("cc", [
    "-shared",
    "-fPIC",
    "-O2",
    "-o",
    shim,
    fileHere("delay-sync.c"),
  ]);
  if (compiler.error !== undefined || compiler.status !== 0) {
    return { title, text: "not measured: no C compiler (cc) for the delay", findings: {} };
  }
  const start = (name: string, delayUs: number) =>
    startHub({
      db: join(bench.folder, `delay-${delayUs}.db`),
      name,
      nodeArgs: ["--import", fileHere("report-event-loop.ts")],
      env: { LD_PRELOAD: shim, DELAY_SYNC_US: String(delayUs) },
    });
  const hubs = [
    await start("this hub, syncs as they are", 0),
    await start("this hub, each sync 5 ms longer", DELAY_US),
  ];
  const rounds: Rounds = new Map(hubs.map((hub) => [hub, []]));
  const loops = new Map(hubs.map((hub) => [hub, [] as number[]]));
  const count = Math.min(bench.rounds, 3);
  await warmUp(bench, hubs, standardLoad(bench));
  for (let round = 1; round <= count; round += 1) {
    for (const [hub, reports] of rounds) {
      await askedFigure(hub, "loop_p99_ms");
      reports.push(await measureOnce(bench, hub, standardLoad(bench)));
      loops.get(hub)?.push(await askedFigure(hub, "loop_p99_ms"));
    }
    bench.say(`  round ${round} of ${count}`);
  }
  for (const hub of hubs) await hub.end();

  const [quick = [], slow = []] = [...rounds.values()];
  const lines = [...loops].map(([{ name }, delays]) => {
    const { median, least, most } = spreadOf(delays);
    const spread = `${least.toFixed(1)}–${most.toFixed(1)}`;
    return `event loop's delay, p99: ${median.toFixed(1)} ms (${spread}), ${name}`;
  });
  const ratio = ratioOf(slow.map(perSecond), quick.map(perSecond)).median;
  const delayed = spreadOf([...loops.values()].at(-1) ?? []).median;
  return {
    title,
    text: [loadTable(rounds), ...lines].join("\n"),
    findings: {
      slow_disk_rate: { measured: ratio },
      slow_disk_event_loop: { measured: delayed },
    },
  };
}
