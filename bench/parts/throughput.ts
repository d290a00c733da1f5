import { join } from "node:path";
import type { Bench } from "../measure/bench.ts";
import { cpuUs, measureRounds, perSecond, standardLoad } from "../measure/rounds.ts";
import { ratioOf, spreadOf } from "../measure/statistics.ts";
import { loadTable } from "../report/load-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";
import { startJetstream, startRedis } from "../systems/start-installed.ts";
import type { System } from "../systems/system.ts";
import { startBaseline, startCeiling, startWebsocketRelay } from "../systems/systems.ts";

/** Goals 1, 2 and 6: how much the hub stores and delivers, beside what people would use instead. */
export async function throughput(bench: Bench): Promise<Part> {
  const { folder } = bench;
  const baseline = await startBaseline();
  const hub = await startHub({ db: join(folder, "hub.db"), name: "this hub, SQLite FULL" });
  const installed = {
    "Redis streams": await startRedis(folder),
    "NATS JetStream (2.10 or newer)": await startJetstream(folder),
  };
  const others = [
    await startWebsocketRelay(folder, "each"),
    await startWebsocketRelay(folder, "grouped"),
    ...Object.values(installed).filter((system) => system !== undefined),
  ];
  const systems: System[] = [baseline, await startCeiling(), hub, ...others];
  const rounds = await measureRounds(bench, systems, standardLoad(bench));
  for (const system of systems) await system.end();

  const rates = (system: System) => (rounds.get(system) ?? []).map(perSecond);
  const costs = (system: System) => (rounds.get(system) ?? []).map(cpuUs);
  const ratesOfOthers = others.map((other) => spreadOf(rates(other)).median);
  const best = others[ratesOfOthers.indexOf(Math.max(...ratesOfOthers))] ?? baseline;
  return {
    title: "64 pairs, 32 messages in flight, 256 bytes",
    text: loadTable(
      rounds,
      Object.entries(installed).flatMap(([name, system]) => (system === undefined ? [name] : [])),
    ),
    findings: {
      throughput: { measured: ratioOf(rates(hub), rates(baseline)).median },
      cpu: { measured: ratioOf(costs(hub), costs(baseline)).median },
      ahead: { measured: ratioOf(rates(hub), rates(best)).median, note: `best: ${best.name}` },
    },
  };
}
