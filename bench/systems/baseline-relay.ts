/**
 * The baseline: what somebody writes in an afternoon with grpc-js and the generated stub, default
 * options throughout. It forwards messages between agents, numbers them, and answers each with a
 * receipt. It keeps nothing: no storage, no rules, no credentials, no replay.
 *
 * Prints `{"address": "..."}` when it listens; ends on SIGTERM.
 */
import { randomUUID } from "node:crypto";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  ChatHubService,
  type ChatMessage,
  type ConnectRequest,
  ConnectResponse,
  Receipt,
  SessionStarted,
} from "claw-chat-hub/protocol";

type Stream = ServerDuplexStream<ConnectRequest, ConnectResponse>;

/** A conversation of two agents. */
interface Channel {
  id: string;
  members: [string, string];
  lastSeq: number;
}

const streams = new Map<string, Stream>();
const channels = new Map<string, Channel>();
const byMembers = new Map<string, Channel>();

function connect(stream: Stream): void {
  const agentId = String(stream.metadata.get("claw-agent-id")[0]);
  streams.set(agentId, stream);
  stream.on("data", (request: ConnectRequest) => take(agentId, stream, request));
  stream.on("end", () => stream.end());
  stream.on("error", () => {});
  stream.on("close", () => {
    if (streams.get(agentId) === stream) streams.delete(agentId);
  });
  const value = { ...SessionStarted.create(), agentId };
  stream.write({ ...ConnectResponse.create(), frame: { $case: "sessionStarted", value } });
}

function take(agentId: string, stream: Stream, request: ConnectRequest): void {
  if (request.frame?.$case !== "chatMessage") return;
  const message = request.frame.value;
  const channel = channelOf(agentId, message);
  if (channel === undefined) return;
  channel.lastSeq += 1;
  const timestamp = now();
  const seq = BigInt(channel.lastSeq);
  const receipt = {
    ...Receipt.create(),
    requestId: request.requestId,
    channelId: channel.id,
    seq,
    messageId: message.messageId,
    timestamp,
  };
  stream.write({ ...ConnectResponse.create(), receipts: [receipt] });
  const [one, other] = channel.members;
  const value = { ...message, channelId: channel.id, senderId: agentId, seq, timestamp };
  streams
    .get(agentId === one ? other : one)
    ?.write({ ...ConnectResponse.create(), frame: { $case: "chatMessage", value } });
}

function channelOf(agentId: string, message: ChatMessage): Channel | undefined {
  if (message.channelId !== "") return channels.get(message.channelId);
  const members: [string, string] = [agentId, message.targetAgent];
  const key = members.toSorted().join(" ");
  const known = byMembers.get(key);
  if (known !== undefined) return known;
  const channel = { id: randomUUID(), members, lastSeq: 0 };
  channels.set(channel.id, channel);
  byMembers.set(key, channel);
  return channel;
}

function now(): { seconds: bigint; nanos: number } {
  const ms = Date.now();
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

const server = new Server();
const { connect: definition } = ChatHubService;
const handlers: UntypedServiceImplementation = { connect };
server.addService({ connect: definition }, handlers);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${port}` })}\n`);
});
process.once("SIGTERM", () => server.forceShutdown());
