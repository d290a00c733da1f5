import type { JsonObject } from "@bufbuild/protobuf";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { KeptContract } from "../upgrades/kept-contract.js";

/** The hub's side of one session. */
export interface NewerSession {
  send(response: JsonObject): void;
  end(): void;
}

/** A hub of a later version, which does what a test says. */
export interface NewerHub {
  url: string;
  /** How many sessions have been opened. */
  sessions(): number;
  stop(): void;
}

/**
 * Starts one. Every session is greeted.
 * @param contract what it speaks: only bytes pass between it and a client
 * @param script what it does when a session is greeted and when a request comes, and its answers to plain calls
 */
export async function startNewerHub(
  contract: KeptContract,
  script: {
    greeting?: JsonObject;
    greeted?(session: NewerSession, count: number): void;
    requested?(session: NewerSession, request: JsonObject): void;
    calls?: Record<string, JsonObject>;
  },
): Promise<NewerHub> {
  let sessions = 0;
  const connect = (stream: ServerDuplexStream<Buffer, Buffer>) => {
    sessions += 1;
    const session: NewerSession = {
      send: (response) => void stream.write(contract.encode("ConnectResponse", response)),
      end: () => stream.end(),
    };
    stream.on("error", () => {});
    stream.on("data", (bytes: Buffer) =>
      script.requested?.(session, contract.decode("ConnectRequest", bytes).json),
    );
    stream.on("end", () => stream.end());
    const greeting = { sessionId: "s", storeEpoch: "e", ...script.greeting };
    session.send({ sessionStarted: greeting });
    script.greeted?.(session, sessions);
  };
  const server = new Server();
  const handlers: Record<string, unknown> = { Connect: connect };
  const methods = contract.methods.map(({ name, stream }) => {
    handlers[name] ??= (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
      answer(null, contract.encode(`${name}Response`, script.calls?.[name] ?? {}));
    const path = `/claw.chat.v1.ChatHub/${name}`;
    return [name, { path, requestStream: stream, responseStream: stream, ...BYTES }] as const;
  });
  server.addService(Object.fromEntries(methods), handlers as never);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    url: `grpc://127.0.0.1:${port}`,
    sessions: () => sessions,
    stop: () => server.forceShutdown(),
  };
}

const asIs = (bytes: Buffer) => bytes;
const BYTES = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
