import { readFlags } from "./flags.ts";
import type { Bench } from "./measure/bench.ts";
import { openBench } from "./open-bench.ts";
import { clientCost } from "./parts/client-cost.ts";
import { idleMemory } from "./parts/idle-memory.ts";
import { latency } from "./parts/latency.ts";
import { shapes } from "./parts/shapes.ts";
import { slowDisk } from "./parts/slow-disk.ts";
import { stored } from "./parts/stored.ts";
import { throughput } from "./parts/throughput.ts";
import { goalTable } from "./report/goal-table.ts";
import { judge } from "./report/goals.ts";
import { machine } from "./report/machine.ts";
import type { Part } from "./report/part.ts";

const PARTS = {
  throughput,
  latency,
  "idle-memory": idleMemory,
  stored,
  "slow-disk": slowDisk,
  client: clientCost,
  shapes,
} satisfies Record<string, (bench: Bench) => Promise<Part | Part[]>>;

const { json, only, ...flags } = readFlags(Object.keys(PARTS));
const bench = openBench(flags);
const begunMs = performance.now();
const parts: Part[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  bench.say(`${name}:`);
  parts.push(...[await measure(bench)].flat());
}
await bench.end();
const goals = judge(Object.assign({}, ...parts.map(({ findings }) => findings)));
const seconds = Math.round((performance.now() - begunMs) / 1000);
if (json) {
  process.stdout.write(`${JSON.stringify({ machine: machine(), seconds, goals })}\n`);
} else {
  for (const { title, text } of parts) process.stdout.write(`${title}\n${text}\n\n`);
  process.stdout.write(`${goalTable(goals)}\n${machine()}; ${seconds} s\n`);
}
