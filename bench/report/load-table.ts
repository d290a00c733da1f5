import Table from "cli-table3";
import { cpuUs, generatorLoad, perSecond, type Rounds, serverLoad } from "../measure/rounds.ts";
import { ratioOf, type Spread, spreadOf } from "../measure/statistics.ts";

/** One line for each system: medians, spread, and ratios to the first one, round by round. */
export function loadTable(rounds: Rounds): string {
  const table = new Table({
    head: [
      "system",
      "messages/s",
      "(least–most)",
      "ratio",
      "CPU µs/message",
      "ratio",
      "p50 ms",
      "p99 ms",
      "server's CPU",
      "generator's CPU",
    ],
    style: { head: [], border: [] },
    colAligns: ["left", ...Array<"right">(9).fill("right")],
  });
  const [first = []] = rounds.values();
  for (const [{ name }, reports] of rounds) {
    const rate = spreadOf(reports.map(perSecond));
    table.push([
      name,
      whole(rate.median),
      `${whole(rate.least)}–${whole(rate.most)}`,
      times(ratioOf(reports.map(perSecond), first.map(perSecond))),
      spreadOf(reports.map(cpuUs)).median.toFixed(1),
      times(ratioOf(reports.map(cpuUs), first.map(cpuUs))),
      spreadOf(reports.map(({ p50Ms }) => p50Ms)).median.toFixed(1),
      spreadOf(reports.map(({ p99Ms }) => p99Ms)).median.toFixed(1),
      percent(reports.map(serverLoad)),
      percent(reports.map(generatorLoad)),
    ]);
  }
  return table.toString();
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString("en");
}

function percent(shares: number[]): string {
  return `${whole(spreadOf(shares).median * 100)} %`;
}

function times({ median }: Spread): string {
  return `${median.toFixed(2)} ×`;
}
