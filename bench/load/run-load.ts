import { type ConversationsOrder, openConversations } from "./conversations.ts";
import { difference, snapshot } from "./snapshot.ts";

/** What is to be measured. */
export interface LoadOrder extends ConversationsOrder {
  kind: "load";
  /** The process whose CPU time is read. */
  serverPid: number;
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
const DRAIN_MS = 60_000;
const MAX_SAMPLES = 1_000_000;

/**
 * Puts a system under load and checks everything it does.
 * @param drainMs how long the last messages may take. Default a minute
 * @throws Error when anything is lost, repeated, altered or out of order, or a session ends
 */
export async function runLoad(order: LoadOrder, drainMs = DRAIN_MS): Promise<LoadReport> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const within = <T>(step: Promise<T>): Promise<T> => Promise.race([step, failure.promise]);
  const samples = new Float32Array(MAX_SAMPLES);
  let sampled = 0;
  let measuring = false;
  const sample = (ms: number) => {
    if (measuring && sampled < MAX_SAMPLES) samples[sampled++] = ms;
  };

  const talk = await within(openConversations(order, sample, failure.reject));
  talk.start();
  await within(after(order.warmMs));
  measuring = true;
  const begun = { ...snapshot(order.serverPid), done: talk.done };
  await within(after(order.ms));
  const ended = { ...snapshot(order.serverPid), done: talk.done };
  measuring = false;
  const late = after(drainMs).then(() => {
    throw new Error(`${talk.inFlight} messages are missing ${drainMs} ms after the last was sent`);
  });
  await within(Promise.race([talk.stop(), late]));
  await within(talk.close());

  const sorted = samples.subarray(0, sampled).sort();
  return {
    messages: ended.done - begun.done,
    seconds: (ended.atMs - begun.atMs) / 1000,
    serverCpuUs: difference(ended.serverCpuUs, begun.serverCpuUs),
    ownCpuUs: ended.ownCpuUs - begun.ownCpuUs,
    p50Ms: sorted[Math.floor(sampled * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sampled * 0.99)] ?? 0,
    checked: talk.done,
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
