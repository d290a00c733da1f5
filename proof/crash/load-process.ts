import { ChannelCredentials } from "@grpc/grpc-js";
import { ChatHubClient, Service } from "claw-chat-hub/protocol";
import { randomFrom } from "../support/random.ts";
import { type BareAgent, createBareAgent } from "./bare-agent.ts";
import { callerOf } from "./bare-session.ts";
import type { CastMember } from "./cast.ts";
import { frameJournal } from "./frame-journal.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { LoadOrder, LoadWord } from "./load-words.ts";
import { createPackageAgent, type PackageAgent } from "./package-agent.ts";
import { type Playing, play, serviceOf } from "./parts.ts";

/** Run by `startLoad` as a process of its own: some agents of a cast, and their journal. */

let journal: Journal | undefined;
let closing = false;
let dialled = 0;
/** Receipts since the parent was last told of some. */
let untold = 0;
let delivered = 0;
let receipts = 0;
const bare: { agent: BareAgent; playing: Playing }[] = [];
const packaged: PackageAgent[] = [];
const isClosing = () => closing;

function tell(word: LoadWord): void {
  process.send?.(word);
}

/** Told together, so that being watched costs little: what arrived in one turn of the loop. */
function countReceipt(duplicate: boolean): void {
  receipts += 1;
  if (duplicate) return;
  if (untold === 0) {
    setImmediate(() => {
      tell({ word: "receipts", count: untold, dialled });
      untold = 0;
    });
  }
  untold += 1;
}

process.on("message", (order: LoadOrder) => void obey(order));
// A parent that is gone cannot end it.
process.on("disconnect", () => process.exit(1));

async function obey(order: LoadOrder): Promise<void> {
  switch (order.order) {
    case "prepare":
      await prepare(order);
      return;
    case "dial":
      // Those on the package's client come back by themselves, and are called once.
      if (dialled === 0) for (const agent of packaged) agent.begin();
      dialled = order.dialled;
      for (const { agent, playing } of bare) {
        agent.dial();
        playing.go();
      }
      return;
    case "close":
      closing = true;
      return;
    case "look":
      tell({ word: "seen", unsettled: await unsettled(), delivered, receipts });
      return;
    case "leave":
      await Promise.all([...bare.map(({ agent }) => agent), ...packaged].map((one) => one.leave()));
      journal?.close();
      process.disconnect();
      process.exit(0);
      return;
    default:
      order satisfies never;
  }
}

async function prepare(order: Extract<LoadOrder, { order: "prepare" }>): Promise<void> {
  journal = openJournal(order.journal);
  for (const [index, member] of order.cast.entries()) {
    journal.note(["agent", member.id, member.client]);
    if (member.part.does === "provide") await register(order.address, member.id, member.part);
    if (member.client === "bare") addBare(order, member, journal, order.seed + index);
    else addPackaged(order.address, member, journal);
  }
  tell({ word: "ready" });
}

function addBare(
  { address }: { address: string },
  { id, part, pipelined }: CastMember,
  journal: Journal,
  seed: number,
): void {
  const random = randomFrom(seed);
  const agent: BareAgent = createBareAgent({
    ...{ id, address, random },
    journal: frameJournal(journal, id),
    placed(placed, duplicate) {
      countReceipt(duplicate);
      playing.placed(placed);
      playing.go();
    },
    delivered(frame) {
      delivered += 1;
      playing.delivered(frame);
    },
  });
  const playing = play(part, {
    ...{ id, random, isClosing },
    room: () => pipelined - agent.pending,
    store: agent.store,
  });
  bare.push({ agent, playing });
}

function addPackaged(
  address: string,
  { id, part, pipelined, pauseMs = 0 }: CastMember,
  journal: Journal,
): void {
  if (part.does !== "chat") throw new Error(`${id}: the package's agents only chat`);
  const frames = frameJournal(journal, id);
  const agent = createPackageAgent({
    ...{ id, address, pipelined, pauseMs, journal, isClosing },
    peers: part.peers,
    frames: {
      sent: frames.sent,
      received(response) {
        for (const { duplicate } of response.receipts) countReceipt(duplicate);
        if (response.frame !== undefined) delivered += 1;
        frames.received(response);
      },
    },
    onConnection(event) {
      const head = { agent: id, atMs: performance.timeOrigin + performance.now() };
      if (event.state === "connected") tell({ word: "connected", ...head });
      if (event.state !== "disconnected") return;
      const { reason, retryInMs } = event;
      tell({ word: "disconnected", ...head, reason, retryInMs });
    },
  });
  packaged.push(agent);
}

async function unsettled(): Promise<string[]> {
  const names: string[] = [];
  for (const agent of [...bare.map((one) => one.agent), ...packaged]) {
    if (!(await agent.settled())) names.push(agent.id);
  }
  return names;
}

function register(
  address: string,
  agentId: string,
  part: Extract<CastMember["part"], { does: "provide" }>,
): Promise<void> {
  const stub = new ChatHubClient(address, ChannelCredentials.createInsecure());
  const service = { ...Service.create(), ...serviceOf(part) };
  return new Promise((resolve, reject) => {
    stub.registerService({ service }, callerOf(agentId), (error) => {
      stub.close();
      if (error === null) resolve();
      else reject(error);
    });
  });
}
