import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "../proof/support/child.ts";
import { readFlags } from "./flags.ts";
import type { GeneratorAnswer, Order } from "./load/generator.ts";
import type { Bench } from "./measure/bench.ts";
import { idleMemory } from "./parts/idle-memory.ts";
import { latency } from "./parts/latency.ts";
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
} satisfies Record<string, (bench: Bench) => Promise<Part | Part[]>>;

const { json, only, ...flags } = readFlags(Object.keys(PARTS));
const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

// Inside the checkout: where temporary files go is memory on many machines.
const cache = join(import.meta.dirname, "../node_modules/.cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const generator = startChild<Order, GeneratorAnswer>(new URL("load/generator.ts", import.meta.url));
const bench: Bench = {
  ...flags,
  folder,
  say,
  async ask(order) {
    const answer = await generator.ask(order);
    if ("failed" in answer) throw new Error(answer.failed);
    return answer as never;
  },
};

const begunMs = performance.now();
const parts: Part[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  say(`${name}:`);
  parts.push(...[await measure(bench)].flat());
}
await generator.end();
const goals = judge(Object.assign({}, ...parts.map(({ findings }) => findings)));
const seconds = Math.round((performance.now() - begunMs) / 1000);
if (json) {
  process.stdout.write(`${JSON.stringify({ machine: machine(), seconds, goals })}\n`);
} else {
  for (const { title, text } of parts) process.stdout.write(`${title}\n${text}\n\n`);
  process.stdout.write(`${goalTable(goals)}\n${machine()}; ${seconds} s\n`);
}
