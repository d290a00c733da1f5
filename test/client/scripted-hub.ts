import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  ChatHubService,
  type ConnectRequest,
  ConnectResponse,
  SessionStarted,
} from "../../src/protocol/wire.js";

type Response = Parameters<typeof ConnectResponse.fromPartial>[0];

/** The hub's side of one session. */
export interface ScriptedSession {
  send(response: Response): void;
  /** Ends the session with a status. */
  fail(code: number): void;
}

/** A hub that does what a test says, for what the real one does too seldom. */
export interface ScriptedHub {
  url: string;
  stop(): void;
}

/** Greets every session, and then lets the test answer. */
export async function startScriptedHub(script: {
  greeted?(session: ScriptedSession): void;
  requested?(session: ScriptedSession, request: ConnectRequest): void;
}): Promise<ScriptedHub> {
  const server = new Server();
  server.addService(ChatHubService, {
    connect(stream: ServerDuplexStream<ConnectRequest, ConnectResponse>) {
      const session: ScriptedSession = {
        send: (response) => void stream.write(ConnectResponse.fromPartial(response)),
        fail: (code) => void stream.emit("error", { code, details: "as the test says" }),
      };
      const value = SessionStarted.fromPartial({ sessionId: "s", storeEpoch: "e" });
      session.send({ frame: { $case: "sessionStarted", value } });
      stream.on("error", () => {});
      stream.on("data", (request: ConnectRequest) => script.requested?.(session, request));
      stream.on("end", () => stream.end());
      script.greeted?.(session);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { url: `grpc://127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
