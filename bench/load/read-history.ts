import { ChatHistoryPage, ConnectRequest } from "claw-chat-hub/protocol";
import { type Agent, openAgent, type Target, unexpected } from "./cast.ts";
import { contentOf, writeHex } from "./requests.ts";
import { storedChat } from "./stored-chats.ts";

/** Reads pages of stored chats, one after the other. */
export interface HistoryOrder {
  kind: "history";
  target: Target;
  /** Stored chats to choose from. */
  chats: number;
  /** Messages in each. */
  messages: number;
  /** Size of a content in bytes. */
  sizeBytes: number;
  /** Pages to read, each of another chat. */
  pages: number;
  /** Messages in a page. */
  limit: number;
}

export interface HistoryReport {
  /** From asking to having the page. */
  p50Ms: number;
  p99Ms: number;
  /** The same for a request that reads nothing. */
  emptyP50Ms: number;
}

const PAGE = 15;
const ERROR = 31;

/** @throws Error when a page is not what was asked for */
export async function readHistory(order: HistoryOrder): Promise<HistoryReport> {
  const { target, pages, chats, limit } = order;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const agents = new Map<string, Agent>();
  const asking: number[] = [];
  const empty: number[] = [];
  for (let page = 0; page < pages; page += 1) {
    // A prime step: every page is of another chat, and neighbours have nothing in common.
    const chat = storedChat((page * 7_919) % chats);
    const agent = agents.get(chat.sender) ?? (await openAgent(target, chat.sender, failure.reject));
    agents.set(chat.sender, agent);
    const beforeSeq = limit + 1 + ((page * 31) % Math.max(1, order.messages - limit));
    const value = { channelId: chat.channelId, limit, beforeSeq: BigInt(beforeSeq) };
    const asked = ConnectRequest.fromPartial({ frame: { $case: "chatHistory", value } });
    const answer = await Promise.race([ask(agent, asked), failure.promise]);
    asking.push(answer.ms);
    checkPage(answer.bytes, chat.number, beforeSeq - limit, limit, order.sizeBytes);
    const heartbeat = ConnectRequest.fromPartial({ requestId: "empty", heartbeat: true });
    empty.push((await Promise.race([ask(agent, heartbeat), failure.promise])).ms);
  }
  await Promise.all([...agents.values()].map(({ link }) => link.close()));
  return {
    p50Ms: quantile(asking, 0.5),
    p99Ms: quantile(asking, 0.99),
    emptyP50Ms: quantile(empty, 0.5),
  };
}

function ask(agent: Agent, request: ConnectRequest): Promise<{ ms: number; bytes: Buffer }> {
  return new Promise((resolve) => {
    const bytes = ConnectRequest.encode(request).finish();
    let page: Buffer = Buffer.alloc(0);
    let sentMs = 0;
    agent.reader = {
      ...unexpected(agent.id),
      other(found, field, { from, to }) {
        if (field === ERROR) unexpected(agent.id).other(found, field, { from, to });
        if (field === PAGE) page = Buffer.from(found.subarray(from, to));
      },
      responseRead: () => resolve({ ms: performance.now() - sentMs, bytes: page }),
    };
    sentMs = performance.now();
    agent.link.send(bytes);
  });
}

/** Whether the page holds the messages from that seq on, as they were stored. */
function checkPage(bytes: Buffer, chat: number, from: number, count: number, size: number): void {
  const { messages } = ChatHistoryPage.decode(bytes);
  const expected = contentOf(chat, size);
  const isRight = messages.every(({ seq, content }, index) => {
    writeHex(expected, 0, from + index - 1);
    return seq === BigInt(from + index) && content === expected.toString("latin1");
  });
  if (messages.length !== count || !isRight) {
    throw new Error(`the history of chat ${chat} from seq ${from} on is not what was stored`);
  }
}

function quantile(figures: number[], share: number): number {
  return figures.toSorted((one, other) => one - other)[Math.floor(figures.length * share)] ?? 0;
}
