import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { KeptContract } from "../../test/upgrades/kept-contract.ts";
import { type RawHub, rawHub } from "../../test/upgrades/raw-hub.ts";
import type { RecordedEnd, RecordedEvent } from "../../test/upgrades/recording.ts";

/** Stands between clients and a hub, and writes down every message as it passes. */
export interface RecordingProxy {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly events: RecordedEvent[];
  stop(): void;
}

type Bytes = Buffer<ArrayBufferLike>;
const asIs = (bytes: Bytes) => bytes;

/** Starts one in front of the hub at `host:port`. A client that breaks a stream off throws. */
export async function startRecordingProxy(
  hubAddress: string,
  contract: KeptContract,
): Promise<RecordingProxy> {
  const hub = rawHub(hubAddress);
  const events: RecordedEvent[] = [];
  const server = new Server();
  const service = contract.methods.map(({ name, stream }) => [
    name,
    {
      path: `/claw.chat.v1.ChatHub/${name}`,
      requestStream: stream,
      responseStream: stream,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  ]);
  const handlers = contract.methods.map(({ name, stream }) => [
    name,
    stream ? forwardSession(hub, events) : forwardCall(hub, name, events),
  ]);
  server.addService(Object.fromEntries(service), Object.fromEntries(handlers));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    events,
    stop() {
      server.forceShutdown();
      hub.close();
    },
  };
}

function forwardSession(hub: RawHub, events: RecordedEvent[]) {
  return (stream: ServerDuplexStream<Bytes, Bytes>) => {
    const session = 1 + events.filter(({ event }) => event === "open").length;
    const caller = {
      ...named("agent", stream.metadata, "claw-agent-id"),
      ...named("receive", stream.metadata, "claw-receive"),
    };
    let over = false;
    events.push({ event: "open", session, ...caller });
    const upstream = hub.session(caller, (bytes) => {
      events.push({ event: "response", session, bytes: bytes.toString("base64") });
      stream.write(bytes);
    });
    stream.on("data", (bytes: Bytes) => {
      events.push({ event: "request", session, bytes: bytes.toString("base64") });
      upstream.send(bytes);
    });
    stream.on("end", () => {
      if (over) return;
      events.push({ event: "halfClose", session });
      upstream.halfClose();
    });
    stream.on("cancelled", () => {
      if (!over) throw new Error(`session ${session} was broken off, which cannot be recorded`);
    });
    upstream.ended.then((end) => {
      over = true;
      events.push({ event: "end", session, ...end });
      if (end.code === 0) stream.end();
      else stream.emit("error", statusOf(end));
    });
  };
}

function forwardCall(hub: RawHub, method: string, events: RecordedEvent[]) {
  return async (call: ServerUnaryCall<Bytes, Bytes>, done: sendUnaryData<Bytes>) => {
    const { agent } = named("agent", call.metadata, "claw-agent-id");
    const bytes = call.request.toString("base64");
    const answer = await hub.call(method, agent, call.request);
    const answered = Buffer.isBuffer(answer);
    events.push({
      event: "call",
      method,
      ...(agent === undefined ? {} : { agent }),
      bytes,
      answer: answered ? answer.toString("base64") : answer,
    });
    if (answered) done(null, answer);
    else done(statusOf(answer));
  };
}

function named<Name extends string>(
  name: Name,
  metadata: Metadata,
  key: string,
): { [key in Name]?: string } {
  const [value] = metadata.get(key);
  return (value === undefined ? {} : { [name]: String(value) }) as { [key in Name]?: string };
}

function statusOf({ code, reason }: RecordedEnd) {
  const metadata = new Metadata();
  metadata.set("claw-reason", reason);
  return { code, details: reason, metadata };
}
