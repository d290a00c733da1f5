import { openHttp2Link } from "./http2-link.ts";
import { openJetstreamLink } from "./jetstream-link.ts";
import type { Link, LinkOptions } from "./link.ts";
import { type ResponseReader, readResponse } from "./read-response.ts";
import { openRedisLink } from "./redis-link.ts";
import { encodeOpening } from "./requests.ts";
import { openTcpLink } from "./tcp-link.ts";
import { openWebsocketLink } from "./websocket-link.ts";

/** A system under test, as the load generator sees it. */
export interface Target {
  /** `127.0.0.1:port`. */
  address: string;
  protocol: "grpc" | "tcp" | "ws" | "redis" | "jetstream";
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

const OPEN_LINK: Record<Target["protocol"], (of: LinkOptions) => Link> = {
  grpc: openHttp2Link,
  tcp: openTcpLink,
  ws: openWebsocketLink,
  redis: openRedisLink,
  jetstream: openJetstreamLink,
};

/**
 * Resolves when the agent's session has begun.
 * @param failed told whatever goes wrong in it
 * @param begun told that it has begun, before anything else comes in
 */
export function openAgent(
  target: Target,
  id: string,
  failed: (error: Error) => void,
  begun: (agent: Agent) => void = () => {},
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
        sessionStarted() {
          begun(agent);
          resolve(agent);
        },
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

/**
 * Opens chats by sending the first message of each, all at once, and resolves when they have arrived.
 * @param receivers who each sender writes to; several may write to the same
 */
export function openChats(senders: Agent[], receivers: Agent[]): Promise<Opened[]> {
  const arrivals = new Map<Agent, PromiseWithResolvers<void>>();
  for (const receiver of new Set(receivers)) {
    let missing = receivers.filter((one) => one === receiver).length;
    const arrived = Promise.withResolvers<void>();
    arrivals.set(receiver, arrived);
    receiver.reader = {
      ...unexpected(receiver.id),
      message() {
        missing -= 1;
        if (missing === 0) arrived.resolve();
      },
    };
  }
  return Promise.all(
    senders.map(async (sender, number) => {
      const receiver = receivers[number];
      if (receiver === undefined) throw new Error(`${sender.id} has nobody to write to`);
      const opened = await openChat(sender, receiver);
      await arrivals.get(receiver)?.promise;
      return opened;
    }),
  );
}

/** Resolves with what the receipt says. */
function openChat(sender: Agent, receiver: Agent): Promise<Opened> {
  return new Promise((resolve) => {
    sender.reader = {
      ...unexpected(sender.id),
      receipt(bytes, _id, seq, { from, to }) {
        resolve({ seq, channelId: bytes.toString("latin1", from, to) });
      },
    };
    sender.link.send(encodeOpening(receiver.id));
  });
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
