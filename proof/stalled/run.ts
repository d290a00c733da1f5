import { performance } from "node:perf_hooks";
import { type Child, startChild } from "../support/child.ts";
import type { HubProcess } from "../support/hub-process.ts";
import type { StalledReader } from "./checker.ts";

import { type Flooder, startFlooder } from "./flood.ts";
import { liveMemoryMib, peakMemoryMib } from "./memory.ts";
import {
  type DeafOrder,
  type DeafReport,
  type HealthyOrder,
  type HealthyReport,
  KINDS,
  type Kind,
  MODES,
  type ReaderOrder,
  type ReaderReport,
} from "./words.ts";

/** How much is sent to whom. */
export interface Load {
  /** Of each kind and receive mode. */
  readersEach: number;
  messagesEach: number;
  messageBytes: number;
  healthyPairs: number;
}

/** What a run showed. */
export interface RunResult {
  /** The hub's largest resident memory until the end of the flood, in MiB. */
  peakMib: number;
  /** What the hub held on to, without garbage, while nobody read, or when all had read; in MiB. */
  liveMib: number;
  /** Of the healthy pairs, during the flood. */
  latenciesMs: number[];
  floodMs: number;
  readers: StalledReader[];
  /** Of the sender that does not read its answers. */
  deaf: Exclude<DeafReport, { begun: true }> | undefined;
  /** What else went wrong. */
  broken: string[];
}

type ReaderChild = Child<ReaderOrder, ReaderReport>;

/**
 * Floods agents of every kind and mode beside healthy pairs.
 * @param stalled false: a control run, where those agents read all the time
 */
export async function run(hub: HubProcess, load: Load, stalled: boolean): Promise<RunResult> {
  const { address } = hub;
  const agents = KINDS.flatMap((kind) =>
    MODES.flatMap((mode) =>
      Array.from({ length: load.readersEach }, (_, number) => {
        return { kind, mode, agentId: `${kind}-${mode}-${number}` };
      }),
    ),
  );
  const healthy = startChild<HealthyOrder, HealthyReport>(
    new URL("healthy-process.ts", import.meta.url),
  );
  await healthy.ask({ order: "begin", address, pairs: load.healthyPairs });
  const flooders = await Promise.all(agents.map(({ agentId }) => startFlooder(address, agentId)));
  const deafFriend = await startFlooder(address, "deaf");
  await deafFriend.flood(64, 16 * 1024);

  const children = new Map<Kind, ReaderChild>();
  const deaf = startChild<DeafOrder, DeafReport>(new URL("deaf-process.ts", import.meta.url));
  for (const kind of KINDS) {
    const child = startChild<ReaderOrder, ReaderReport>(
      new URL("reader-process.ts", import.meta.url),
    );
    children.set(kind, child);
    const mine = agents.filter((agent) => agent.kind === kind);
    child.tell({ order: "open", address, kind, stalled, agents: mine });
  }
  await Promise.all(flooders.map((flooder) => flooder.targetOnline()));
  if (stalled) children.get("stopped")?.signal("SIGSTOP");
  const { channelId } = deafFriend;
  await deaf.ask({ order: "begin", address, agentId: "deaf", channelId, stalled });

  await healthy.ask({ order: "report" });
  const startedAtMs = performance.now();
  await Promise.all(flooders.map((flooder) => flooder.flood(load.messagesEach, load.messageBytes)));
  const floodMs = performance.now() - startedAtMs;
  const measured = await healthy.ask({ order: "report" });
  const peakMib = peakMemoryMib(hub);
  const heldMib = await liveMemoryMib(hub);

  const reports = await revive(children, flooders);
  const deafReport = await deaf.ask({ order: "read" });
  // Of a control run when everyone has read everything: on a slow day its readers lag as well.
  const liveMib = stalled ? heldMib : await liveMemoryMib(hub);
  await Promise.all([...flooders, deafFriend].map((flooder) => flooder.end()));
  await Promise.all([healthy, deaf, ...children.values()].map((child) => child.end()));
  const { latenciesMs, broken } = "begun" in measured ? { latenciesMs: [], broken: [] } : measured;
  return {
    peakMib,
    liveMib,
    latenciesMs,
    floodMs,
    broken,
    deaf: "begun" in deafReport ? undefined : deafReport,
    readers: Object.entries(reports).map(([agentId, sessions]) => {
      const mode = agents.find((agent) => agent.agentId === agentId)?.mode ?? "manual";
      const { channelId = "" } = flooders.find((one) => one.target === agentId) ?? {};
      return { agentId, mode, channelId, sessions };
    }),
  };
}

/** Lets everyone read, and waits until each was delivered the last entry of its channel. */
async function revive(
  children: Map<Kind, ReaderChild>,
  flooders: Flooder[],
): Promise<ReaderReport["sessions"]> {
  children.get("stopped")?.signal("SIGCONT");
  const reports = await Promise.all(
    [...children].map(([kind, child]) => {
      const mine = flooders.filter(({ target }) => target.startsWith(`${kind}-`));
      const upTo = Object.fromEntries(mine.map(({ target, lastSeq }) => [target, lastSeq]));
      return child.ask({ order: "read", upTo });
    }),
  );
  return Object.assign({}, ...reports.map(({ sessions }) => sessions));
}
