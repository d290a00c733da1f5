import type { LoadOrder, LoadReport } from "../load/run-load.ts";
import type { System } from "../systems/system.ts";
import type { Bench } from "./bench.ts";

/** What a load is, apart from whom it meets and for how long. */
export type Load = Omit<LoadOrder, "kind" | "target" | "serverPid" | "warmMs" | "ms">;

/** The load that all goals but those about single messages are about. */
export function standardLoad({ small }: Bench): Load {
  return { flows: small ? 4 : 64, inFlight: small ? 4 : 32, sizeBytes: 256 };
}

/** What a system did in each round. */
export type Rounds = Map<System, LoadReport[]>;

/**
 * Puts systems under the same load, one after the other, several times over: whatever else the
 * machine does then meets all of them.
 * @throws Error when a system fails a check
 */
export async function measureRounds(
  bench: Bench,
  systems: readonly System[],
  load: Load,
): Promise<Rounds> {
  const reports: Rounds = new Map(systems.map((system) => [system, []]));
  await warmUp(bench, systems, load);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [system, soFar] of reports) {
      soFar.push(await measureOnce(bench, system, load));
    }
    bench.say(`  round ${round} of ${bench.rounds}: ${ratesOf(reports)}`);
  }
  return reports;
}

/**
 * Puts systems under a load once without counting: what is compared runs for days, and V8 compiles in
 * the first seconds.
 * @throws Error when a system fails a check
 */
export async function warmUp(bench: Bench, systems: Iterable<System>, load: Load): Promise<void> {
  for (const system of systems) await measureOnce(bench, system, load);
}

/** Puts one system under a load. */
export function measureOnce(bench: Bench, system: System, load: Load): Promise<LoadReport> {
  const { target, pid: serverPid } = system;
  const { warmMs, ms } = bench;
  return bench.ask({ kind: "load", ...load, target, serverPid, warmMs, ms }).catch((error) => {
    throw new Error(`${system.name}: ${error.message}`, { cause: error });
  });
}

function ratesOf(reports: Rounds): string {
  return [...reports.values()]
    .map((soFar) => soFar.at(-1))
    .map((last) => (last === undefined ? "" : `${Math.round(perSecond(last))}/s`))
    .join(", ");
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
