import { openHttp2Link } from "./http2-link.ts";
import type { Link, LinkOptions } from "./link.ts";
import { type ResponseReader, readResponse } from "./read-response.ts";
import { encodeOpening } from "./requests.ts";

/** A system under test, as the load generator sees it. */
export interface Target {
  /** `127.0.0.1:port`. */
  address: string;
  protocol: "grpc";
  apiKey?: string | undefined;
  /** Whether it numbers the messages of a channel. */
  numbersSeq: boolean;
}

/** An agent with its session. */
export interface Agent {
  readonly id: string;
  readonly link: Link;
  /** Who is told what comes in. */
  reader: ResponseReader;
  /** Called after each read with something in it. */
  onRead: () => void;
}

/** A chat that has been opened. */
export interface Opened {
  channelId: string;
  /** Seq of the message that opened it; 0 where the server does not number. */
  seq: number;
}

const OPEN_LINK = { grpc: openHttp2Link } satisfies Record<
  Target["protocol"],
  (of: LinkOptions) => Link
>;

/** Resolves when the agent's session has begun. `failed` is told whatever goes wrong in it. */
export function openAgent(
  target: Target,
  id: string,
  failed: (error: Error) => void,
): Promise<Agent> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error);
      failed(error);
    };
    const agent: Agent = {
      id,
      reader: {
        ...unexpected(id),
        sessionStarted: () => resolve(agent),
      },
      onRead: () => {},
      link: OPEN_LINK[target.protocol]({
        ...target,
        agentId: id,
        onMessage(bytes, from, to) {
          try {
            readResponse(bytes, from, to, agent.reader);
          } catch (error) {
            fail(error as Error);
          }
        },
        onRead: () => agent.onRead(),
        onEnd: (reason) => fail(new Error(`${id}: ${reason}`)),
      }),
    };
  });
}

/** Opens a chat by sending its first message, and resolves when that has arrived. */
export async function openChat(sender: Agent, receiver: Agent): Promise<Opened> {
  const receipt = Promise.withResolvers<Opened>();
  const delivery = Promise.withResolvers<void>();
  sender.reader = {
    ...unexpected(sender.id),
    receipt(bytes, _id, seq, { from, to }) {
      receipt.resolve({ seq, channelId: bytes.toString("latin1", from, to) });
    },
  };
  receiver.reader = { ...unexpected(receiver.id), message: () => delivery.resolve() };
  sender.link.send(encodeOpening(receiver.id));
  const [opened] = await Promise.all([receipt.promise, delivery.promise]);
  return opened;
}

/** Takes nothing. */
export function unexpected(id: string): ResponseReader {
  const complain = (what: string) => () => {
    throw new Error(`${id}: ${what} came unexpectedly`);
  };
  return {
    receipt: complain("a receipt"),
    message: complain("a message"),
    sessionStarted: complain("a session_started"),
    other(bytes, field, { from, to }) {
      const text = JSON.stringify(bytes.toString("latin1", from, Math.min(to, from + 200)));
      throw new Error(`${id}: field ${field} came unexpectedly: ${text}`);
    },
  };
}
