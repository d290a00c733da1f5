import type { GeneratorReport } from "../load/generator.ts";
import type { LoadOrder, LoadReport } from "../load/run-load.ts";
import type { System } from "../systems/system.ts";

/** What a load is, apart from whom it meets. */
export type Load = Omit<LoadOrder, "target" | "serverPid">;

/** What a system did in each round. */
export type Rounds = Map<System, LoadReport[]>;

/**
 * Puts systems under the same load, one after the other, several times over: whatever else the
 * machine does then meets all of them.
 * @param of.ask gives the load generator an order
 * @param of.say told of each measurement
 * @throws Error when a system fails a check
 */
export async function measureRounds(of: {
  systems: readonly System[];
  load: Load;
  rounds: number;
  ask: (order: LoadOrder) => Promise<GeneratorReport>;
  say: (sentence: string) => void;
}): Promise<Rounds> {
  const reports: Rounds = new Map(of.systems.map((system) => [system, []]));
  for (let round = 1; round <= of.rounds; round += 1) {
    for (const [system, soFar] of reports) {
      const { name, target, pid } = system;
      const report = await of.ask({ ...of.load, target, serverPid: pid });
      if ("failed" in report) throw new Error(`${name}: ${report.failed}`);
      soFar.push(report);
      const rate = Math.round(perSecond(report));
      of.say(`round ${round} of ${of.rounds}: ${name}: ${rate} messages/s`);
    }
  }
  return reports;
}

/** Messages a second. */
export function perSecond({ messages, seconds }: LoadReport): number {
  return messages / seconds;
}

/** CPU time of the server for a message; NaN where the system does not tell. */
export function cpuUs({ serverCpuUs = Number.NaN, messages }: LoadReport): number {
  return serverCpuUs / messages;
}

/** How busy the server was, in cores. */
export function serverLoad({ serverCpuUs = Number.NaN, seconds }: LoadReport): number {
  return serverCpuUs / 1e6 / seconds;
}

/** How busy the load generator was: of one core, which is all that it can use. */
export function generatorLoad({ ownCpuUs, seconds }: LoadReport): number {
  return ownCpuUs / 1e6 / seconds;
}
