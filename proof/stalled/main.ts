import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startHubProcess } from "../support/hub-process.ts";
import { atLeastOne } from "../support/whole-number.ts";
import { checkReaders, type Faults } from "./checker.ts";
import {
  ALLOWED_CLIENT_GROWTH_MIB,
  ALLOWED_CLIENT_LIVE_MIB,
  judgeClients,
} from "./judge-clients.ts";
import { MEMORY_FLAGS } from "./memory.ts";
import { type Load, type RunResult, run } from "./run.ts";
import { CHATS_EACH, type PausedClient, runClients } from "./run-clients.ts";

/** The hub's peak memory may grow by so much in all: the promise, with room for the noise of a heap. */
const ALLOWED_PEAK_GROWTH_MIB = 64;
/**
 * What a session that does not read may hold, garbage not counted: 1 MiB of responses (D4), a copy
 * of them in the transport, and the page that is being read for it; with room for what else a heap
 * holds at one moment and not at another.
 */
const ALLOWED_LIVE_MIB = 6;
/** A queue without a bound would hold what was sent: so many times more than what is allowed. */
const LEAST_FLOOD = 4;

const program = new Command("stalled")
  .description(
    "Proves that readers that do not read cost the hub a bounded amount of memory, and lose nothing: " +
      "stopped processes, closed HTTP/2 windows and applications that do not read, with acks and " +
      "without, and a sender that does not read its answers. Asserted: the hub holds at most " +
      `${ALLOWED_LIVE_MIB} MiB for each, its peak memory is at ` +
      `most ${ALLOWED_PEAK_GROWTH_MIB} MiB above that of the same run with agents that read, and everything ` +
      "arrives in order once they read. And that the package's client, whose application takes one " +
      `message and does not read on, holds at most ${ALLOWED_CLIENT_LIVE_MIB} MiB and grows by at ` +
      `most ${ALLOWED_CLIENT_GROWTH_MIB} MiB. Printed: the latency of healthy pairs beside them.`,
  )
  .option("--readers <n>", "stalled readers of each kind and mode", atLeastOne, 1)
  .option("--messages <n>", "messages to each of them", atLeastOne, 384)
  .option("--message-kib <n>", "size of a message", atLeastOne, 64)
  .option("--pairs <n>", "healthy pairs", atLeastOne, 4)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = program.opts<Record<"readers" | "messages" | "messageKib" | "pairs", number>>();
const load: Load = {
  readersEach: options.readers,
  messagesEach: options.messages,
  messageBytes: options.messageKib * 1024,
  healthyPairs: options.pairs,
};

process.exitCode = await prove();

async function prove(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-stalled-"));
  const control = await runOnce(join(folder, "control.db"), false);
  const treated = await runOnce(join(folder, "stalled.db"), true);
  const paused = await runPaused(join(folder, "clients.db"));
  const problems = [...control.problems, ...treated.problems, ...paused.problems];
  const { faults } = treated;
  problems.push(...faults.sentences);

  const growthMib = treated.peakMib - control.peakMib;
  if (growthMib > ALLOWED_PEAK_GROWTH_MIB) {
    problems.push(`the hub's peak grew by ${growthMib.toFixed(1)} MiB over the control run`);
  }
  // Beside the readers there is the sender that does not read.
  const stalled = treated.readers.length + 1;
  const liveEachMib = (treated.liveMib - control.liveMib) / stalled;
  if (liveEachMib > ALLOWED_LIVE_MIB) {
    problems.push(`the hub holds ${liveEachMib.toFixed(1)} MiB for each that does not read`);
  }
  const eachMib = (load.messagesEach * load.messageBytes) / 2 ** 20;
  if (eachMib < LEAST_FLOOD * ALLOWED_LIVE_MIB) {
    problems.push(`${eachMib.toFixed(0)} MiB for each reader prove nothing: send more`);
  }
  const toClient = { messages: CHATS_EACH * load.messagesEach, mib: CHATS_EACH * eachMib };
  problems.push(...judgeClients(paused.clients, toClient));
  const { deaf } = treated;
  if (deaf === undefined || deaf.answered < deaf.asked || deaf.twice > 0) {
    problems.push(`the sender that does not read: ${JSON.stringify(deaf)}`);
  }
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) await rm(folder, { recursive: true, force: true });
  else console.log(`node proof/stalled/main.ts\n  the hub's files are kept in ${folder}`);

  const [without, beside] = [latencyOf(control), latencyOf(treated)];
  console.log(`latency of healthy pairs, without stalled readers: ${without.text}`);
  console.log(`latency of healthy pairs, beside stalled readers:  ${beside.text}`);
  const [lost, duplicated, misordered, gaps] = (
    ["lost", "duplicated", "misordered", "gaps"] as const
  ).map((fault) => faults[fault] + paused.faults[fault]);
  const figures = {
    stalled,
    rss_growth_mib: growthMib.toFixed(1),
    p99_ratio: (beside.p99Ms / without.p99Ms).toFixed(2),
    ...{ lost, duplicated, misordered, gaps },
    control_mib: control.peakMib.toFixed(1),
    control_live_mib: control.liveMib.toFixed(1),
    live_each_mib: liveEachMib.toFixed(2),
    flooded_each_mib: eachMib.toFixed(0),
    client_growth_mib: most(paused.clients.map((one) => one.rssGrowthMib)),
    client_live_mib: most(paused.clients.map((one) => one.liveGrowthMib)),
    flooded_client_mib: toClient.mib.toFixed(0),
    reconnects: treated.readers.reduce((sum, { sessions }) => sum + sessions.length - 1, 0),
  };
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`);
  console.log(words.join(" "));
  return problems.length === 0 ? 0 : 1;
}

/** Of applications on the package's client that do not read on. */
async function runPaused(
  db: string,
): Promise<{ clients: PausedClient[]; faults: Faults; problems: string[] }> {
  const hub = await startHubProcess({ db, args: ["--log-level", "warn"] });
  const clients = await runClients(hub, load);
  for (const { pause, rssGrowthMib, liveGrowthMib, cameIn } of clients) {
    console.error(
      `client whose application is ${pause}: ${cameIn} deliveries came in, grew by ` +
        `${rssGrowthMib.toFixed(1)} MiB, ${liveGrowthMib.toFixed(1)} MiB of it in use`,
    );
  }
  const { code, signal } = await hub.end("SIGTERM");
  const faults = checkReaders(
    db,
    clients.flatMap(({ readers }) => readers),
  );
  const problems = [...faults.sentences];
  if (code !== 0) problems.push(`clients: the hub ended with ${signal ?? code}: ${hub.log()}`);
  return { clients, faults, problems };
}

async function runOnce(
  db: string,
  stalled: boolean,
): Promise<RunResult & { faults: Faults; problems: string[] }> {
  const hub = await startHubProcess({
    ...{ db, args: ["--log-level", "warn"], nodeArgs: MEMORY_FLAGS },
  });
  const result = await run(hub, load, stalled);
  const what = stalled ? "beside stalled readers" : "control run";
  console.error(
    `${what}: flooded in ${Math.round(result.floodMs)} ms, peak ${result.peakMib.toFixed(1)} MiB`,
  );
  const { code, signal } = await hub.end("SIGTERM");
  const problems = result.broken.map((sentence) => `${what}: ${sentence}`);
  if (code !== 0) problems.push(`${what}: the hub ended with ${signal ?? code}: ${hub.log()}`);
  return { ...result, problems, faults: checkReaders(db, result.readers) };
}

function latencyOf({ latenciesMs }: RunResult): { p99Ms: number; text: string } {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  const [p50Ms, p99Ms] = [at(0.5), at(0.99)];
  const text = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms of ${sorted.length}`;
  return { p99Ms, text };
}

function most(figures: number[]): string {
  return Math.max(...figures).toFixed(1);
}
