import { cpuUs, generatorLoad, perSecond, type Rounds, serverLoad } from "../measure/rounds.ts";
import { ratioOf, spreadOf } from "../measure/statistics.ts";
import { newTable, times, whole } from "./new-table.ts";

const HEAD = [
  ...["system", "messages/s", "least–most", "ratio", "CPU µs/message", "ratio", "p50 ms", "p99 ms"],
  ...["server's CPU", "generator's CPU"],
];

/** One line for each system: medians, spread, and ratios to the first one, round by round. */
export function loadTable(rounds: Rounds, absent: readonly string[] = []): string {
  const table = newTable(HEAD, "lrrrrrrrrr");
  const [first = []] = rounds.values();
  for (const [{ name }, reports] of rounds) {
    const rate = spreadOf(reports.map(perSecond));
    const cpu = spreadOf(reports.map(cpuUs)).median;
    table.push([
      name,
      whole(rate.median),
      `${whole(rate.least)}–${whole(rate.most)}`,
      times(ratioOf(reports.map(perSecond), first.map(perSecond)).median),
      cpu.toFixed(1),
      times(ratioOf(reports.map(cpuUs), first.map(cpuUs)).median),
      spreadOf(reports.map(({ p50Ms }) => p50Ms)).median.toFixed(2),
      spreadOf(reports.map(({ p99Ms }) => p99Ms)).median.toFixed(2),
      percent(reports.map(serverLoad)),
      percent(reports.map(generatorLoad)),
    ]);
  }
  for (const name of absent) table.push([name, "not installed", ...Array<string>(8).fill("")]);
  return table.toString();
}

function percent(shares: number[]): string {
  return `${whole(spreadOf(shares).median * 100)} %`;
}
