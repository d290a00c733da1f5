import { globSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { atLeastOne } from "../proof/support/whole-number.ts";
import { cpuUs, perSecond, standardLoad } from "./measure/rounds.ts";
import { openBench } from "./open-bench.ts";
import { profileTable, readProfile } from "./report/cpu-profile.ts";
import { startHub } from "./systems/start-hub.ts";

const { small, top, ...flags } = new Command("bench:profile")
  .description("Writes a CPU profile of the hub under load, and prints where its time goes.")
  .option("--ms <n>", "how long it is under load, in milliseconds", atLeastOne, 10_000)
  .option("--top <n>", "how many functions to print", atLeastOne, 40)
  .option("--small", "few agents, to see whether it works", false)
  .parse()
  .opts<{ ms: number; top: number; small: boolean }>();

const bench = openBench({ ...flags, small, full: false, rounds: 1, warmMs: 500 });
const profiles = join(import.meta.dirname, "profiles");
mkdirSync(profiles, { recursive: true });
const hub = await startHub({
  db: join(bench.folder, "hub.db"),
  nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${bench.folder}`],
});
const begunMs = performance.now();
const { target, pid: serverPid } = hub;
const { warmMs, ms } = bench;
const load = { kind: "load", ...standardLoad(bench), target, serverPid, warmMs, ms } as const;
const report = await bench.ask(load);
await hub.end();
const lastMs = performance.now() - begunMs;
await bench.end();

// Each thread writes its own; the main one has the number 0.
const [written] = globSync(join(bench.folder, `CPU.*.${serverPid}.0.*.cpuprofile`));
if (written === undefined) throw new Error("Node.js has written no profile");
const path = join(profiles, `hub-${new Date().toISOString().replaceAll(":", "-")}.cpuprofile`);
renameSync(written, path);
const rate = Math.round(perSecond(report));
process.stdout.write(
  `${profileTable(readProfile(path, lastMs), top)}\n` +
    `${rate} messages/s at ${cpuUs(report).toFixed(1)} µs each, while profiled\n` +
    `${path}: open it with Chrome DevTools or Visual Studio Code\n`,
);
