import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Child, startChild } from "../../proof/support/child.ts";
import type { TalkerOrder, TalkerReport } from "../client/talker.ts";
import type { Bench } from "../measure/bench.ts";
import { ratioOf, spreadOf } from "../measure/statistics.ts";
import { newTable, times, whole } from "../report/new-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";

type Talker = Child<TalkerOrder | { kind: "figures" }, TalkerReport>;
interface Cost {
  perSecond: number;
  sendUs: number;
  receiveUs: number;
}

const WARM_FACTOR = 4;
const IN_FLIGHT = 100;
const SIZE_BYTES = 256;

/** What the TypeScript client itself costs, beside a program on nothing but the generated stub. */
export async function clientCost(bench: Bench): Promise<Part> {
  const hub = await startHub({ db: join(bench.folder, "client.db") });
  const { address, apiKey = "" } = hub.target;
  const costs = { stub: [] as Cost[], client: [] as Cost[] };
  const rounds = Math.min(bench.rounds, 3);
  for (let round = 1; round <= rounds; round += 1) {
    for (const how of ["stub", "client"] as const) {
      const agents = { address, apiKey, inFlight: IN_FLIGHT, sizeBytes: SIZE_BYTES, how };
      costs[how].push(await costOf(bench, { ...agents, round }));
    }
    bench.say(`  round ${round} of ${rounds}`);
  }
  await hub.end();

  const table = newTable(
    ["program", "messages/s", "CPU µs to send one", "ratio", "CPU µs to take one", "ratio"],
    "lrrrrr",
  );
  const ratio = (field: "sendUs" | "receiveUs", of: Cost[]) =>
    ratioOf(
      of.map((cost) => cost[field]),
      costs.stub.map((cost) => cost[field]),
    ).median;
  for (const [name, of] of [
    ["generated stub", costs.stub],
    ["this client", costs.client],
  ] as const) {
    table.push([
      name,
      whole(spreadOf(of.map(({ perSecond }) => perSecond)).median),
      spreadOf(of.map(({ sendUs }) => sendUs)).median.toFixed(1),
      times(ratio("sendUs", of)),
      spreadOf(of.map(({ receiveUs }) => receiveUs)).median.toFixed(1),
      times(ratio("receiveUs", of)),
    ]);
  }
  return {
    title: `One TypeScript agent that sends and one that takes, ${IN_FLIGHT} in flight, ${SIZE_BYTES} bytes, this hub`,
    text: table.toString(),
    findings: {},
  };
}

async function costOf(
  bench: Bench,
  { round, ...agent }: Omit<TalkerOrder, "kind" | "agentId" | "peerId"> & { round: number },
): Promise<Cost> {
  const url = new URL("../client/talker.ts", import.meta.url);
  const names = ["taker", "sender"].map((role) => `bench-${agent.how}-${role}-${round}`);
  const [takerId = "", senderId = ""] = names;
  const taker: Talker = startChild(url);
  const sender: Talker = startChild(url);
  try {
    await connected(taker, { ...agent, kind: "talk", agentId: takerId });
    await connected(sender, { ...agent, kind: "talk", agentId: senderId, peerId: takerId });
    // New processes have much to compile first.
    await delay(bench.warmMs * WARM_FACTOR);
    const before = await Promise.all([taker, sender].map(figures));
    const begunMs = performance.now();
    await delay(bench.ms);
    const after = await Promise.all([taker, sender].map(figures));
    const seconds = (performance.now() - begunMs) / 1000;
    const [taken = NOTHING, sent = NOTHING] = after.map(({ messages, cpuUs }, index) => {
      const earlier = before[index] ?? NOTHING;
      return { messages: messages - earlier.messages, cpuUs: cpuUs - earlier.cpuUs };
    });
    return {
      perSecond: taken.messages / seconds,
      sendUs: sent.cpuUs / sent.messages,
      receiveUs: taken.cpuUs / taken.messages,
    };
  } finally {
    await sender.end();
    await taker.end();
  }
}

const NOTHING = { messages: 0, cpuUs: 0 };

async function connected(talker: Talker, order: TalkerOrder): Promise<void> {
  const report = await talker.ask(order);
  if (report.kind === "failed") throw new Error(`${order.agentId}: ${report.message}`);
}

async function figures(talker: Talker): Promise<{ messages: number; cpuUs: number }> {
  const report = await talker.ask({ kind: "figures" });
  if (report.kind === "failed") throw new Error(report.message);
  if (report.kind !== "figures") throw new Error("a talker reports something else");
  return report;
}
