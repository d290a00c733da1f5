import {
  ChannelCredentials,
  Client,
  Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import type { RecordedEnd } from "./recording.js";

const PATH = "/claw.chat.v1.ChatHub/";

/** A session that carries bytes as they are, both ways. */
export interface RawSession {
  send(bytes: Buffer): void;
  halfClose(): void;
  readonly ended: Promise<RecordedEnd>;
}

/** Calls of a hub that no stub encodes or decodes. */
export interface RawHub {
  /** Opens a session; agent and receive are its call metadata, where they are given. */
  session(
    caller: { agent?: string | undefined; receive?: string | undefined },
    onResponse: (bytes: Buffer) => void,
  ): RawSession;
  /** Resolves with the bytes of the answer, or with how the call ended instead. */
  call(method: string, agent: string | undefined, bytes: Buffer): Promise<Buffer | RecordedEnd>;
  close(): void;
}

const asIs = (bytes: Buffer) => bytes;

/** All of it on one connection, which is made by the first call. */
export function rawHub(address: string): RawHub {
  const client = new Client(address, ChannelCredentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    session({ agent, receive }, onResponse) {
      const metadata = callerOf(agent);
      if (receive !== undefined) metadata.set("claw-receive", receive);
      const stream = client.makeBidiStreamRequest(`${PATH}Connect`, asIs, asIs, metadata, {});
      stream.on("data", onResponse);
      stream.on("error", () => {});
      const ended = new Promise<RecordedEnd>((resolve) => {
        stream.on("status", (status: StatusObject) => resolve(endOf(status)));
      });
      return {
        send: (bytes) => void stream.write(bytes),
        halfClose: () => void stream.end(),
        ended,
      };
    },
    call(method, agent, bytes) {
      return new Promise((resolve) => {
        client.makeUnaryRequest(
          PATH + method,
          asIs,
          asIs,
          bytes,
          callerOf(agent),
          (error: ServiceError | null, answer?: Buffer) =>
            resolve(error === null && answer !== undefined ? answer : endOf(error)),
        );
      });
    },
    close: () => client.close(),
  };
}

function callerOf(agent: string | undefined): Metadata {
  const metadata = new Metadata();
  if (agent !== undefined) metadata.set("claw-agent-id", agent);
  return metadata;
}

function endOf(status: StatusObject | ServiceError | null): RecordedEnd {
  const reason = status?.metadata?.get("claw-reason")[0];
  return { code: status?.code ?? -1, reason: String(reason ?? "") };
}
