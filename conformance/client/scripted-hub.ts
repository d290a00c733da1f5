import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { chatHubDefinition, type JsonObject, type Said } from "./contract.ts";
import { type ClientConnection, openFrontDoor } from "./front-door.ts";

/** How a stream ends that the hub ends itself. */
export interface Ending {
  /** A gRPC status code. */
  code: number;
  /** The stable word, for the trailer `claw-reason`. */
  reason?: string;
  /** For the trailer `claw-retry-after-ms`. */
  retryAfterMs?: number;
}

/** One stream of the client. */
export interface HubStream {
  connection: ClientConnection;
  /** Call metadata, by key. */
  metadata: Record<string, string>;
  write(said: Said): void;
  /** Stops reading, until resume. */
  pause(): void;
  resume(): void;
  end(ending?: Ending): void;
}

/** What the hub tells its script. */
export interface HubHooks {
  opened(stream: HubStream): void;
  requested(stream: HubStream, request: JsonObject): void;
  /** The client has half-closed. */
  halfClosed(stream: HubStream): void;
  /** A plain call was made. Answers it. */
  called(method: string, request: JsonObject): JsonObject;
  /** A connection was cut as `turnAway` had asked. */
  turnedAway(): void;
}

/** A gRPC server that decides nothing by itself. */
export interface ScriptedHub {
  /** Where clients connect to, on 127.0.0.1. */
  port: number;
  turnAway(connections: number): void;
  close(): void;
}

/** Serves claw.chat.v1 on a free port of loopback, without TLS. */
export async function startScriptedHub(hooks: HubHooks): Promise<ScriptedHub> {
  const server = new Server();
  const unary =
    (method: string) =>
    (call: ServerUnaryCall<JsonObject, Said>, answer: sendUnaryData<Said>): void =>
      answer(null, { json: hooks.called(method, call.request) });
  server.addService(chatHubDefinition(), {
    registerService: unary("registerService"),
    unregisterService: unary("unregisterService"),
    listServices: unary("listServices"),
    listChannels: unary("listChannels"),
    connect(call: ServerDuplexStream<JsonObject, Said>) {
      const connection = door.connectionFrom(Number(call.getPeer().split(":").at(-1)));
      if (connection === undefined) throw new Error(`nobody came from ${call.getPeer()}`);
      const stream = hubStream(call, connection);
      // A stream that is cut is no error here.
      call.on("error", () => {});
      call.on("data", (request: JsonObject) => hooks.requested(stream, request));
      call.on("end", () => hooks.halfClosed(stream));
      hooks.opened(stream);
    },
  });
  const door = await openFrontDoor(await bind(server), hooks.turnedAway);
  return {
    port: door.port,
    turnAway: door.turnAway,
    close() {
      door.close();
      server.forceShutdown();
    },
  };
}

function hubStream(
  call: ServerDuplexStream<JsonObject, Said>,
  connection: ClientConnection,
): HubStream {
  return {
    connection,
    metadata: Object.fromEntries(
      Object.entries(call.metadata.getMap()).map(([key, value]) => [key, String(value)]),
    ),
    write: (said) => void call.write(said),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    end(ending = { code: 0 }) {
      if (ending.code === 0) {
        call.end();
        return;
      }
      const metadata = new Metadata();
      const { code, reason = "", retryAfterMs } = ending;
      if (reason !== "") metadata.set("claw-reason", reason);
      if (retryAfterMs !== undefined) metadata.set("claw-retry-after-ms", String(retryAfterMs));
      call.emit("error", { code, details: `${reason}: as the scenario has it`, metadata });
    },
  };
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
