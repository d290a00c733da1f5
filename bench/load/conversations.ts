import { randomBytes } from "node:crypto";
import { type Agent, openAgent, openChats, type Target, unexpected } from "./cast.ts";
import { createFlow, type Flow } from "./flow.ts";
import { DIGITS, encodeAcks, readHex } from "./requests.ts";
import { storedChat } from "./stored-chats.ts";

/** Who talks with whom, and how. */
export interface ConversationsOrder {
  target: Target;
  /** Conversations; each has a sender of its own. */
  flows: number;
  /** Whether they all go to one receiver, or each to its own. */
  fanIn?: boolean;
  /** Whether they go on in chats that were stored before, 100 flows at most. */
  storedChats?: boolean;
  /** Messages that each sender has on their way: sent, but not both receipted and delivered. */
  inFlight: number;
  /** Content of a message in bytes, 16 at least. */
  sizeBytes: number;
}

/** Conversations that go on until they are stopped. */
export interface Conversations {
  /** Messages that got both their receipt and their delivery. */
  readonly done: number;
  /** Messages that are on their way. */
  readonly inFlight: number;
  /** Sends the first messages; each that is done brings the next one of its flow. */
  start(): void;
  /** Sends no more, and resolves when everything has arrived. */
  stop(): Promise<void>;
  /** Says goodbye to the server, which then has answered everything. */
  close(): Promise<void>;
}

/**
 * Brings agents to a server and opens their chats.
 * @param sampled told how many milliseconds a message took, of each that is done
 * @param failed told when a check has failed or a session has ended
 */
export async function openConversations(
  order: ConversationsOrder,
  sampled: (ms: number) => void,
  failed: (error: Error) => void,
): Promise<Conversations> {
  const { target, inFlight, sizeBytes } = order;
  const nonce = randomBytes(4).toString("hex");
  const open = (role: "sender" | "receiver", number: number) => {
    const id = order.storedChats ? storedChat(number)[role] : `bench-${nonce}-${role}-${number}`;
    return openAgent(target, id, failed);
  };
  const numbers = Array.from({ length: order.flows }, (_, number) => number);
  const senders = await Promise.all(numbers.map((number) => open("sender", number)));
  const different = await Promise.all(
    numbers.slice(0, order.fanIn ? 1 : undefined).map((number) => open("receiver", number)),
  );
  const receivers = numbers.map((number) => different[order.fanIn ? 0 : number] as Agent);
  const opened = await openChats(senders, receivers);
  const flows = opened.map(({ channelId, seq: baseSeq }, number) => {
    const { numbersSeq } = target;
    return createFlow({ number, channelId, baseSeq, numbersSeq, sizeBytes });
  });
  const sentAtMs = numbers.map(() => new Float64Array(inFlight));
  const drained = Promise.withResolvers<void>();
  let sending = false;
  let done = 0;

  function sendMore(flow: Flow, number: number): void {
    const { link } = senders[number] as Agent;
    const times = sentAtMs[number] as Float64Array;
    while (flow.inFlight < inFlight) {
      times[(flow.done + flow.inFlight) % inFlight] = performance.now();
      link.send(flow.next());
    }
  }

  function progress(flow: Flow, number: number, before: number): void {
    if (flow.done === before) return;
    done += 1;
    sampled(performance.now() - (sentAtMs[number]?.[before % inFlight] ?? 0));
    if (sending) sendMore(flow, number);
    else noteDrained();
  }

  function noteDrained(): void {
    if (flows.every((flow) => flow.inFlight === 0)) drained.resolve();
  }

  function listen(sender: Agent, flow: Flow, number: number): void {
    sender.reader = {
      ...unexpected(sender.id),
      receipt(bytes, id, seq) {
        const before = flow.done;
        flow.receipt(bytes, id, seq);
        progress(flow, number, before);
      },
    };
  }

  function take(receiver: Agent): void {
    /** Flows with something new, which is acked once for each read, as the client does it. */
    const unacked = new Set<Flow>();
    receiver.reader = {
      ...unexpected(receiver.id),
      message(bytes, content, seq) {
        const number = readHex(bytes, content.from + DIGITS);
        const flow = flows[number];
        if (flow === undefined || receivers[number] !== receiver) {
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
      const acks = [...unacked].map(({ channelId, deliveredSeq: seq }) => ({ channelId, seq }));
      unacked.clear();
      receiver.link.send(encodeAcks(acks));
    };
  }

  for (const [number, flow] of flows.entries()) listen(senders[number] as Agent, flow, number);
  for (const receiver of different) take(receiver);
  return {
    get done() {
      return done;
    },
    get inFlight() {
      return flows.reduce((sum, flow) => sum + flow.inFlight, 0);
    },
    start() {
      sending = true;
      for (const [number, flow] of flows.entries()) sendMore(flow, number);
    },
    stop() {
      sending = false;
      noteDrained();
      return drained.promise;
    },
    async close() {
      await Promise.all([...senders, ...different].map(({ link }) => link.close()));
    },
  };
}
