import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { startChild } from "../proof/support/child.ts";
import { atLeastOne } from "../proof/support/whole-number.ts";
import type { GeneratorReport } from "./load/generator.ts";
import type { LoadOrder } from "./load/run-load.ts";
import { measureRounds } from "./measure/rounds.ts";
import { loadTable } from "./report/load-table.ts";
import { startHub } from "./systems/start-hub.ts";
import { startRelay } from "./systems/start-relay.ts";

const flags = new Command("bench")
  .description("Measures this hub beside a bare grpc-js relay that stores nothing.")
  .option("--rounds <n>", "how often each system is measured, in turns", atLeastOne, 5)
  .option("--ms <n>", "how long each time, in milliseconds", atLeastOne, 1_500)
  .option("--pairs <n>", "pairs of agents", atLeastOne, 64)
  .option("--in-flight <n>", "messages that each pair has on their way", atLeastOne, 32)
  .option("--size <bytes>", "size of a message's content", atLeastOne, 256)
  .parse()
  .opts<{ rounds: number; ms: number; pairs: number; inFlight: number; size: number }>();

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

// Inside the checkout: where temporary files go is memory on many machines.
const cache = join(import.meta.dirname, "../node_modules/.cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const generator = startChild<LoadOrder, GeneratorReport>(
  new URL("load/generator.ts", import.meta.url),
);
const systems = [
  await startRelay({
    name: "grpc-js relay, stores nothing",
    file: "baseline-relay.ts",
    target: { protocol: "grpc", numbersSeq: true },
  }),
  await startHub({ folder, name: "this hub, synchronous=FULL" }),
];
const { pairs, inFlight, size, ms, rounds } = flags;
const load = { flows: pairs, inFlight, sizeBytes: size, warmMs: Math.min(500, ms), ms };
const measured = await measureRounds({ systems, load, rounds, ask: generator.ask, say });
process.stdout.write(`${loadTable(measured)}\n`);
for (const system of systems) await system.end();
await generator.end();
