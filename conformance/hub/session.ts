import type { Client, ClientDuplexStream, Metadata, StatusObject } from "@grpc/grpc-js";
import { type Arrivals, createArrivals, frameOf } from "./arrivals.ts";
import { decode, encode, isObject, type Json, methodOf } from "./contract.ts";
import { show } from "./match.ts";

/** One Connect stream, on a connection of its own. */
export interface Session {
  readonly arrivals: Arrivals;
  /** Sends a request as JSON, under an id that it returns. */
  send(request: Json): string;
  sendBytes(bytes: Uint8Array, requestId: string): void;
  /** The answer to a request: `{receipt}`, or the response itself. Taken once. */
  answerTo(requestId: string): Promise<Json>;
  /** Resolves with what `find` gives as soon as it is something. */
  until<T>(what: string, find: () => T | undefined): Promise<T>;
  /** Resolves when the hub has answered a heartbeat, and with it all that was sent before. */
  marker(): Promise<void>;
  ended(): StatusObject | undefined;
  /** Ids of requests whose answers a later step expects, the oldest first. */
  readonly later: string[];
  pause(): void;
  resume(): void;
  halfClose(): void;
  /** Cancels the stream and closes the connection. */
  close(): Promise<void>;
}

/** @param of.patienceMs how long to wait for what must come */
export function openSession(of: {
  client: Client;
  metadata: Metadata;
  patienceMs: number;
}): Session {
  const { path, request, response } = methodOf("Connect");
  const stream = of.client.makeBidiStreamRequest<Uint8Array, Json>(
    path,
    (bytes) => Buffer.from(bytes),
    (bytes) => decode(response, bytes),
    of.metadata,
    {},
  ) as ClientDuplexStream<Uint8Array, Json>;
  const arrivals = createArrivals();
  const answers = new Map<string, Json>();
  const open = new Set<string>();
  const waiting = new Set<() => void>();
  let problem: Error | undefined;
  let status: StatusObject | undefined;
  let counter = 0;

  function wake(): void {
    for (const look of [...waiting]) look();
  }
  function answered(requestId: string, answer: Json): void {
    if (!open.delete(requestId)) {
      throw new Error(`an answer that nothing asked for, or a second one: ${show(answer)}`);
    }
    answers.set(requestId, answer);
  }
  function receive(message: Json): void {
    const receipts = message.receipts as Json[];
    for (const receipt of receipts) answered(String(receipt.requestId), { receipt });
    if (message.requestId !== "") answered(String(message.requestId), message);
    else if (isObject(message.error)) throw new Error(`a refusal of nothing: ${show(message)}`);
    else if (frameOf(message) !== undefined) arrivals.add(message);
    else if (receipts.length === 0) throw new Error("a response that holds nothing");
  }

  stream.on("data", (message: Json) => {
    try {
      receive(message);
    } catch (error) {
      problem ??= error as Error;
    }
    wake();
  });
  stream.on("error", () => {});
  stream.on("status", (final) => {
    status = final;
    wake();
  });

  const session: Session = {
    arrivals,
    send(message) {
      counter += 1;
      const requestId = `r${counter}`;
      open.add(requestId);
      stream.write(encode(request, { requestId, ...message }));
      return String(message.requestId ?? requestId);
    },
    sendBytes(bytes, requestId) {
      open.add(requestId);
      stream.write(bytes);
    },
    async answerTo(requestId) {
      return session.until(`an answer to request ${requestId}`, () => {
        const answer = answers.get(requestId);
        answers.delete(requestId);
        return answer;
      });
    },
    until(what, find) {
      return new Promise((resolve, reject) => {
        const finish = () => {
          waiting.delete(look);
          clearTimeout(timer);
        };
        const fail = (error: unknown) => {
          finish();
          reject(error);
        };
        const look = () => {
          if (problem !== undefined) return fail(problem);
          try {
            const found = find();
            if (found !== undefined) {
              finish();
              resolve(found);
            } else if (status !== undefined) {
              fail(new Error(`${what} never came; the stream ended: ${statusWords(status)}`));
            }
          } catch (error) {
            fail(error);
          }
        };
        const timer = setTimeout(() => {
          const rest = arrivals.rest();
          fail(new Error(`${what} never came; what did: ${rest.length ? show(rest) : "nothing"}`));
        }, of.patienceMs);
        waiting.add(look);
        look();
      });
    },
    async marker() {
      await session.answerTo(session.send({ heartbeat: true }));
    },
    ended: () => status,
    later: [],
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    halfClose: () => void stream.end(),
    async close() {
      if (status === undefined) {
        const gone = new Promise((resolve) => stream.once("status", resolve));
        stream.cancel();
        await gone;
      }
      of.client.close();
    },
  };
  return session;
}

/** A gRPC status in words. */
export function statusWords({ code, details }: { code: number; details: string }): string {
  return `${code} ${details}`;
}
