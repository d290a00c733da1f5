import { join } from "node:path";
import type { Bench } from "../measure/bench.ts";
import { type Load, measureRounds } from "../measure/rounds.ts";
import { loadTable } from "../report/load-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";
import { startBaseline } from "../systems/systems.ts";

const SIZE_BYTES = 256;

/** Other numbers of agents, messages on their way, and sizes of messages. */
const SHAPES: [string, Load][] = [
  ["1 pair, 1 in flight", { flows: 1, inFlight: 1, sizeBytes: SIZE_BYTES }],
  ["1 pair, 100 in flight", { flows: 1, inFlight: 100, sizeBytes: SIZE_BYTES }],
  ["1,000 pairs, 1 in flight", { flows: 1_000, inFlight: 1, sizeBytes: SIZE_BYTES }],
  ["64 pairs, 32 in flight, 64 bytes", { flows: 64, inFlight: 32, sizeBytes: 64 }],
  ["64 pairs, 32 in flight, 4 KiB", { flows: 64, inFlight: 32, sizeBytes: 4_096 }],
  ["64 pairs, 32 in flight, 64 KiB", { flows: 64, inFlight: 32, sizeBytes: 65_536 }],
  [
    "500 consumers to one provider, 4 in flight each",
    { flows: 500, fanIn: true, inFlight: 4, sizeBytes: SIZE_BYTES },
  ],
];

/** Only with --full: the hub beside the baseline under loads of other shapes. */
export async function shapes(bench: Bench): Promise<Part[]> {
  if (!bench.full) return [];
  const systems = [
    await startBaseline(),
    await startHub({ db: join(bench.folder, "shapes.db"), name: "this hub, SQLite FULL" }),
  ];
  const parts: Part[] = [];
  for (const [title, shape] of SHAPES) {
    bench.say(`  ${title}`);
    const load = bench.small ? { ...shape, flows: Math.min(shape.flows, 4) } : shape;
    const rounds = await measureRounds(bench, systems, load);
    parts.push({ title, text: loadTable(rounds), findings: {} });
  }
  for (const system of systems) await system.end();
  return parts;
}
