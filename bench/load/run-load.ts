import { randomBytes } from "node:crypto";
import { cpuTimeUs } from "../measure/process-figures.ts";
import { type Agent, openAgent, openChat, type Target, unexpected } from "./cast.ts";
import { createFlow, type Flow } from "./flow.ts";
import { DIGITS, encodeAcks, readHex } from "./requests.ts";

/** What is to be measured. */
export interface LoadOrder {
  target: Target;
  /** The process whose CPU time is read. */
  serverPid: number;
  /** Conversations; each has a sender of its own. */
  flows: number;
  /** Whether they all go to one receiver, or each to its own. */
  fanIn?: boolean;
  /** Messages that each sender has on their way: sent, but not both receipted and delivered. */
  inFlight: number;
  /** Content of a message in bytes, 16 at least. */
  sizeBytes: number;
  /** How long it runs before anything is counted. */
  warmMs: number;
  /** How long it is measured. */
  ms: number;
}

/** What was measured. */
export interface LoadReport {
  /** Messages that got both their receipt and their delivery. */
  messages: number;
  seconds: number;
  /** CPU time of the server; undefined where the system does not tell. */
  serverCpuUs: number | undefined;
  /** CPU time of the load generator. */
  ownCpuUs: number;
  /** Milliseconds from sending to the later of receipt and delivery. */
  p50Ms: number;
  p99Ms: number;
  /** All messages that were checked, those before and after the measuring included. */
  checked: number;
}

/** What is still on its way when the load ends has to arrive within this time. */
const DRAIN_MS = 20_000;
const MAX_SAMPLES = 1_000_000;

/**
 * Puts a system under load and checks everything it does.
 * @throws Error when anything is lost, repeated, altered or out of order, or a session ends
 */
export async function runLoad(order: LoadOrder): Promise<LoadReport> {
  const { target, flows: count, inFlight, sizeBytes } = order;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const nonce = randomBytes(4).toString("hex");
  const open = (name: string) => openAgent(target, `bench-${nonce}-${name}`, failure.reject);
  const names = Array.from({ length: count }, (_, number) => number);
  const senders = await Promise.all(names.map((number) => open(`s${number}`)));
  const receiverNames = order.fanIn ? [0] : names;
  const receivers = await Promise.all(receiverNames.map((number) => open(`r${number}`)));

  const samples = new Float32Array(MAX_SAMPLES);
  let sampled = 0;
  let measuring = false;
  let sending = true;
  let done = 0;
  let drained = () => {};

  const flows: Flow[] = [];
  const sentAt = names.map(() => new Float64Array(inFlight));

  function sendMore(flow: Flow, number: number, sender: Agent): void {
    const times = sentAt[number] as Float64Array;
    while (sending && flow.inFlight < inFlight) {
      times[(flow.done + flow.inFlight) % inFlight] = performance.now();
      sender.link.send(flow.next());
    }
  }

  function progress(flow: Flow, number: number, before: number): void {
    const after = flow.done;
    if (after === before) return;
    done += after - before;
    if (measuring && sampled < MAX_SAMPLES) {
      const times = sentAt[number] as Float64Array;
      samples[sampled++] = performance.now() - (times[before % inFlight] ?? 0);
    }
    const sender = senders[number];
    if (sender !== undefined) sendMore(flow, number, sender);
    if (!sending) drained();
  }

  for (const [number, sender] of senders.entries()) {
    const receiver = receivers[order.fanIn ? 0 : number] as Agent;
    const { channelId, seq } = await Promise.race([openChat(sender, receiver), failure.promise]);
    const { numbersSeq } = target;
    const flow = createFlow({ number, channelId, baseSeq: seq, numbersSeq, sizeBytes });
    flows.push(flow);
    sender.reader = {
      ...unexpected(sender.id),
      receipt(bytes, id, seq) {
        const before = flow.done;
        flow.receipt(bytes, id, seq);
        progress(flow, number, before);
      },
    };
  }
  for (const receiver of receivers) {
    /** Flows with something new, which is acked once for each read, as the client does it. */
    const unacked = new Set<Flow>();
    receiver.reader = {
      ...unexpected(receiver.id),
      message(bytes, content, seq) {
        const number = readHex(bytes, content.from + DIGITS);
        const flow = flows[number];
        if (flow === undefined || receivers[order.fanIn ? 0 : number] !== receiver) {
          throw new Error(`${receiver.id}: a message of flow ${number} is not for it`);
        }
        const before = flow.done;
        flow.delivery(bytes, content, seq);
        unacked.add(flow);
        progress(flow, number, before);
      },
    };
    receiver.onRead = () => {
      if (unacked.size === 0) return;
      const acks = [...unacked].map((flow) => ({
        channelId: flow.channelId,
        seq: flow.deliveredSeq,
      }));
      unacked.clear();
      receiver.link.send(encodeAcks(acks));
    };
  }

  for (const [number, flow] of flows.entries()) sendMore(flow, number, senders[number] as Agent);
  await Promise.race([after(order.warmMs), failure.promise]);
  measuring = true;
  const begun = snapshot(order.serverPid, done);
  await Promise.race([after(order.ms), failure.promise]);
  const ended = snapshot(order.serverPid, done);
  measuring = false;
  sending = false;

  const isDrained = new Promise<void>((resolve) => {
    drained = () => flows.every((flow) => flow.inFlight === 0) && resolve();
    drained();
  });
  const late = after(DRAIN_MS).then(() => {
    const missing = flows.reduce((sum, flow) => sum + flow.inFlight, 0);
    throw new Error(`${missing} messages have not arrived ${DRAIN_MS} ms after the last was sent`);
  });
  late.catch(() => {});
  await Promise.race([isDrained, failure.promise, late]);
  await Promise.all([...senders, ...receivers].map(({ link }) => link.close()));

  const sorted = samples.subarray(0, sampled).sort();
  return {
    messages: ended.done - begun.done,
    seconds: (ended.atMs - begun.atMs) / 1000,
    serverCpuUs:
      ended.serverCpuUs === undefined ? undefined : ended.serverCpuUs - (begun.serverCpuUs ?? 0),
    ownCpuUs: ended.ownCpuUs - begun.ownCpuUs,
    p50Ms: sorted[Math.floor(sampled * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sampled * 0.99)] ?? 0,
    checked: done,
  };
}

function snapshot(pid: number, done: number) {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), done, serverCpuUs: cpuTimeUs(pid), ownCpuUs: user + system };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
