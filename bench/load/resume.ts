import { type Agent, openAgent, type Target, unexpected } from "./cast.ts";
import { contentOf, encodeAcks, writeHex } from "./requests.ts";
import { difference, snapshot } from "./snapshot.ts";
import { type StoredChat, waitingChat } from "./stored-chats.ts";

/** Agents come back all at once, to messages that wait for them. */
export interface ResumeOrder {
  kind: "resume";
  target: Target;
  serverPid: number;
  /** Number of the first waiting chat, and how many of them. */
  first: number;
  agents: number;
  /** Messages that wait in each. */
  messages: number;
  sizeBytes: number;
}

export interface ResumeReport {
  messages: number;
  /** From the first connection to the last delivery. */
  seconds: number;
  serverCpuUs: number | undefined;
  ownCpuUs: number;
}

/** @throws Error when a delivery is not the next one, or is altered */
export async function resume(order: ResumeOrder): Promise<ResumeReport> {
  const { target, agents: count, serverPid } = order;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const complete = Promise.withResolvers<void>();
  let missing = count * order.messages;
  const begun = snapshot(serverPid);
  const agents = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const chat = waitingChat(order.first + index);
      return openAgent(target, chat.receiver, failure.reject, (agent) =>
        takeBacklog(agent, chat, order.sizeBytes, () => {
          missing -= 1;
          if (missing === 0) complete.resolve();
        }),
      );
    }),
  );
  await Promise.race([complete.promise, failure.promise]);
  const ended = snapshot(serverPid);
  await Promise.all(agents.map(({ link }) => link.close()));
  return {
    messages: count * order.messages,
    seconds: (ended.atMs - begun.atMs) / 1000,
    serverCpuUs: difference(ended.serverCpuUs, begun.serverCpuUs),
    ownCpuUs: ended.ownCpuUs - begun.ownCpuUs,
  };
}

/** Checks each delivery, and acks once for each read. */
function takeBacklog(
  agent: Agent,
  { number, channelId }: StoredChat,
  sizeBytes: number,
  arrived: () => void,
): void {
  const expected = contentOf(number, sizeBytes);
  let deliveries = 0;
  let acked = 0;
  agent.reader = {
    ...unexpected(agent.id),
    message(bytes, { from, to }, seq) {
      writeHex(expected, 0, deliveries);
      const isRight = bytes.compare(expected, 0, expected.length, from, to) === 0;
      deliveries += 1;
      if (!isRight || seq !== deliveries) {
        throw new Error(`${agent.id}: seq ${seq} is not what was stored at ${deliveries}`);
      }
      arrived();
    },
  };
  agent.onRead = () => {
    if (acked === deliveries) return;
    acked = deliveries;
    agent.link.send(encodeAcks([{ channelId, seq: acked }]));
  };
}
