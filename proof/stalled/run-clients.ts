import { ChatClient } from "claw-chat-hub";
import { type Child, startChild } from "../support/child.ts";
import type { HubProcess } from "../support/hub-process.ts";
import type { StalledReader } from "./checker.ts";
import { type Flooder, startFlooder } from "./flood.ts";
import type { Load } from "./run.ts";
import { type ClientOrder, type ClientReport, PAUSES, type Pause } from "./words.ts";

/** The chats of each application. */
export const CHATS_EACH = 4;
const MIB = 2 ** 20;
/** Has glibc give freed buffers back at once, so that resident memory is what is in use. */
const GIVING_BACK = ["env", "MALLOC_MMAP_THRESHOLD_=32768", "MALLOC_TRIM_THRESHOLD_=131072"];

/** An application that did not read on, and what that cost its process. */
export interface PausedClient {
  pause: Pause;
  /** Without garbage, from its first message until everything had been sent; in MiB. */
  rssGrowthMib: number;
  liveGrowthMib: number;
  /** Deliveries that its process was sent meanwhile. */
  cameIn: number;
  /** What its loop was given in each chat, once it had read everything. */
  readers: StalledReader[];
}

/** Floods applications on the package's client that take one message and do not read on. */
export async function runClients({ address }: HubProcess, load: Load): Promise<PausedClient[]> {
  return Promise.all(PAUSES.map((pause) => runOne(address, pause, load)));
}

async function runOne(address: string, pause: Pause, load: Load): Promise<PausedClient> {
  const agentId = `paused-${pause}`;
  const asked = `asked-by-${agentId}`;
  const asks = pause === "asking";
  const client: Child<ClientOrder, ClientReport> = startChild(
    new URL("client-process.ts", import.meta.url),
    GIVING_BACK,
    ["--expose-gc"],
  );
  const senders = await Promise.all(
    Array.from({ length: CHATS_EACH }, (_, chat) =>
      startFlooder(address, agentId, `flooder-${chat}-of-${agentId}`),
    ),
  );
  const before = memoryIn(
    await client.ask({ order: "begin", address, agentId, asks: asks ? asked : undefined }),
  );
  await Promise.all(senders.map((sender) => sender.flood(load.messagesEach, load.messageBytes)));
  // Where an answer is expected, the hub was asked not to wait for acks: it sends everything, and
  // only the client's own bound is left.
  const upTo = lastSeqs(senders);
  const after = memoryIn(await client.ask({ order: "measure", upTo: asks ? upTo : {} }));
  if (asks) await accept(address, asked);
  const report = await client.ask({ order: "read", upTo });
  if (!("taken" in report)) throw new Error("the client did not say what it has taken");
  await Promise.all(senders.map((sender) => sender.end()));
  await client.end();
  return {
    pause,
    rssGrowthMib: (after.rssBytes - before.rssBytes) / MIB,
    liveGrowthMib: (after.liveBytes - before.liveBytes) / MIB,
    cameIn: after.cameIn - before.cameIn,
    readers: senders.map(({ channelId }) => {
      return { agentId, mode: "manual", channelId, sessions: [report.taken[channelId] ?? []] };
    }),
  };
}

function lastSeqs(senders: Flooder[]): Record<string, number> {
  return Object.fromEntries(senders.map(({ channelId, lastSeq }) => [channelId, lastSeq]));
}

function memoryIn(report: ClientReport): Extract<ClientReport, { rssBytes: number }> {
  if ("rssBytes" in report) return report;
  throw new Error("the client did not say how much memory it uses");
}

/** Gives the one answer that somebody waits for. */
async function accept(address: string, agentId: string): Promise<void> {
  await using client = new ChatClient({ hubUrl: `grpc://${address}`, agentId });
  const requests = client.requests();
  await client.connect();
  const { value: request } = await requests.next();
  await request?.accept();
}
