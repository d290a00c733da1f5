import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askedFigure } from "../measure/asked-figure.ts";
import type { Bench } from "../measure/bench.ts";
import { newTable, times } from "../report/new-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";
import { startBaseline } from "../systems/systems.ts";

/** The server collects its garbage before it is asked: what is left is what sessions hold on to. */
const FLAGS = [
  "--expose-gc",
  "--import",
  fileURLToPath(new URL("../../proof/fuzz/report-rss.ts", import.meta.url)),
];

/** The second half of goal 2: what a session costs that says nothing. */
export async function idleMemory(bench: Bench): Promise<Part> {
  const sessions = bench.small ? 50 : bench.full ? 5_000 : 1_000;
  const systems = [
    await startBaseline(FLAGS),
    await startHub({ db: join(bench.folder, "idle.db"), nodeArgs: FLAGS }),
  ];
  const table = newTable(["system", "KiB for a session", "sessions opened a second"], "lrr");
  const kib: number[] = [];
  for (const system of systems) {
    const { target } = system;
    // What the first ones make a server compile, and a thread they make it begin, is no cost of a session.
    await bench.ask({ kind: "idle", target, sessions });
    const before = await askedFigure(system, "rss_bytes");
    const { seconds } = await bench.ask({ kind: "idle", target, sessions: 2 * sessions });
    kib.push(((await askedFigure(system, "rss_bytes")) - before) / sessions / 1024);
    bench.say(`  ${system.name}: ${kib.at(-1)?.toFixed(1)} KiB for a session`);
    await bench.ask({ kind: "idle", target, sessions: 0 });
    await system.end();
    table.push([system.name, kib.at(-1)?.toFixed(1), Math.round(sessions / seconds)]);
  }
  const [bare = Number.NaN, hub = Number.NaN] = kib;
  return {
    title: `${sessions.toLocaleString("en")} idle sessions, each on a connection of its own`,
    text: `${table}\nratio ${times(hub / bare)}`,
    findings: {
      idle_memory: { measured: hub / bare, note: `${sessions.toLocaleString("en")} sessions` },
    },
  };
}
