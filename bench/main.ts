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

async function measureAll(): Promise<Part[]> {
  const parts: Part[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    bench.say(`${name}:`);
    parts.push(...[await measure(bench)].flat());
  }
  await bench.end();
  return parts;
}

function print(parts: Part[]): void {
  const goals = judge(Object.assign({}, ...parts.map(({ findings }) => findings)));
  const seconds = Math.round((performance.now() - begunMs) / 1000);
  if (json) {
    const { full, small } = flags;
    process.stdout.write(
      `${JSON.stringify({ machine: machine(), seconds, full, small, goals })}\n`,
    );
    return;
  }
  for (const { title, text } of parts) process.stdout.write(`${title}\n${text}\n\n`);
  process.stdout.write(`${goalTable(goals)}\n${machine()}; ${seconds} s\n`);
  if (flags.small) process.stdout.write("--small shows that it works; its figures mean nothing\n");
}

try {
  print(await measureAll());
} catch (error) {
  bench.say(`it could not be measured: ${(error as Error).message}`);
  process.exit(1);
}
