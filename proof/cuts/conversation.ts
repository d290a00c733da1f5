import { ChatClient } from "claw-chat-hub";
import { type CutPlace, startCutProxy } from "./cut-proxy.ts";
import { type Journal, newJournal, traceInto } from "./journal.ts";
import { talk } from "./standard-talk.ts";
import { stream } from "./stream-talk.ts";

/**
 * Whose connection goes through the proxy: the provider's or the consumer's of the standard
 * conversation, or that of a reader to whom somebody talks without pause.
 */
export type Role = "provider" | "consumer" | "reader";

/** A cut to make in a conversation. */
export interface Cut extends CutPlace {
  role: Role;
}

/** One party of a conversation. */
export interface Party {
  client: ChatClient;
  journal: Journal;
}

/** How a conversation went. */
export interface Outcome {
  cut: Cut | undefined;
  /** Of the connection under proof. */
  passed: { sent: number; received: number };
  /** The place was reached, and the connection cut. */
  made: boolean;
  provider: Journal;
  consumer: Journal;
  /** Why it did not come to its end. */
  trouble: string | undefined;
}

/** Far more than any of it takes: what is not done by then hangs. */
const PATIENCE_MS = 20_000;

/**
 * Holds a conversation between two clients that live through the cut by themselves. Never
 * rejects.
 * @param of.number makes the names of its agents, all of one length
 */
export async function converse(of: {
  hubAddress: string;
  number: number;
  role: Role;
  cut?: Cut;
}): Promise<Outcome> {
  const { hubAddress, role, cut } = of;
  const name = String(of.number).padStart(6, "0");
  const proxy = await startCutProxy(hubAddress, cut);
  const party = (agentId: string, proved: boolean): Party => {
    const journal = newJournal(agentId);
    const hubUrl = `grpc://${proved ? proxy.address : hubAddress}`;
    const onFrame = traceInto(journal);
    const client = new ChatClient({ hubUrl, agentId, timeoutMs: PATIENCE_MS, onFrame });
    return { client, journal };
  };
  const provider = party(`p-${name}`, role !== "consumer");
  const consumer = party(`c-${name}`, role === "consumer");
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`not over after ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  const talking =
    role === "reader"
      ? stream(consumer, provider, () => cut === undefined || proxy.made)
      : talk(provider, consumer, name);
  const trouble = await Promise.race([talking, patience]).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  clearTimeout(late);
  await Promise.all([provider.client.disconnect(), consumer.client.disconnect()]);
  await talking.catch(() => {});
  await proxy.stop();
  return {
    cut,
    passed: { ...proxy.passed },
    made: proxy.made,
    provider: provider.journal,
    consumer: consumer.journal,
    trouble,
  };
}
