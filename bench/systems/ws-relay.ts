/**
 * What people would write instead with WebSockets: ws, and SQLite in the process with
 * `synchronous=FULL`. It stores a message, with its sender's id for it as a unique key, and only
 * then answers with a receipt and passes it on. `--each` commits each message by itself,
 * `--grouped` all that came in one event-loop turn together. Acks move a position in the same way.
 * No credentials, no rules, no replay.
 *
 * Prints `{"address": "..."}` when it listens; ends on SIGTERM.
 */
import { randomUUID } from "node:crypto";
import Database from "better-sqlite3";
import {
  type ChannelPosition,
  type ChatMessage,
  ConnectRequest,
  ConnectResponse,
  Receipt,
  SessionStarted,
} from "claw-chat-hub/protocol";
import { type WebSocket, WebSocketServer } from "ws";

interface Channel {
  id: string;
  members: [string, string];
  lastSeq: number;
}

const [path = "", mode = "--grouped"] = process.argv.slice(2);
const db = new Database(path);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE entries (channel TEXT, seq INTEGER, author TEXT, message_id TEXT, body BLOB,
    PRIMARY KEY (channel, seq)) WITHOUT ROWID;
  CREATE UNIQUE INDEX entries_by_key ON entries (author, message_id);
  CREATE TABLE positions (channel TEXT, agent TEXT, seq INTEGER,
    PRIMARY KEY (channel, agent)) WITHOUT ROWID;
`);
const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?)");
const move = db.prepare("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)");
const begin = db.prepare("BEGIN IMMEDIATE");
const commit = db.prepare("COMMIT");

const sockets = new Map<string, WebSocket>();
const channels = new Map<string, Channel>();
const byMembers = new Map<string, Channel>();
/** What is to be told once the commit has returned. */
let told: (() => void)[] = [];

function take(agentId: string, socket: WebSocket, request: ConnectRequest): void {
  if (told.length === 0) {
    begin.run();
    if (mode === "--grouped") setImmediate(finish);
  }
  store(agentId, socket, request);
  if (mode === "--each") finish();
}

function finish(): void {
  commit.run();
  const tell = told;
  told = [];
  for (const one of tell) one();
}

function store(agentId: string, socket: WebSocket, request: ConnectRequest): void {
  for (const ack of request.acks) acknowledge(agentId, ack);
  if (request.frame?.$case !== "chatMessage") {
    told.push(() => {});
    return;
  }
  const message = request.frame.value;
  const channel = channelOf(agentId, message);
  channel.lastSeq += 1;
  const { id: channelId } = channel;
  const timestamp = now();
  const seq = BigInt(channel.lastSeq);
  const value = { ...message, channelId, senderId: agentId, seq, timestamp };
  const response = { ...ConnectResponse.create(), frame: { $case: "chatMessage", value } as const };
  const delivery = ConnectResponse.encode(response).finish();
  const messageId = message.messageId || randomUUID();
  insert.run(channelId, channel.lastSeq, agentId, messageId, delivery);
  const { requestId } = request;
  const receipt = { ...Receipt.create(), requestId, channelId, seq, messageId, timestamp };
  const [one, other] = channel.members;
  const peer = agentId === one ? other : one;
  told.push(() => {
    const answer = { ...ConnectResponse.create(), receipts: [receipt] };
    socket.send(ConnectResponse.encode(answer).finish());
    sockets.get(peer)?.send(delivery);
  });
}

function acknowledge(agentId: string, { channelId, seq }: ChannelPosition): void {
  move.run(channelId, agentId, Number(seq));
}

function channelOf(agentId: string, message: ChatMessage): Channel {
  const named = channels.get(message.channelId);
  if (named !== undefined) return named;
  const members: [string, string] = [agentId, message.targetAgent];
  const key = members.toSorted().join(" ");
  const channel = byMembers.get(key) ?? { id: randomUUID(), members, lastSeq: 0 };
  channels.set(channel.id, channel);
  byMembers.set(key, channel);
  return channel;
}

function now(): { seconds: bigint; nanos: number } {
  const ms = Date.now();
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${address.port}` })}\n`);
});
server.on("connection", (socket, { url = "" }) => {
  const agentId = new URL(url, "http://localhost").searchParams.get("agent") ?? "";
  sockets.set(agentId, socket);
  socket.on("message", (data: Buffer) => take(agentId, socket, ConnectRequest.decode(data)));
  socket.on("close", () => sockets.delete(agentId));
  const value = { ...SessionStarted.create(), agentId };
  const greeting = {
    ...ConnectResponse.create(),
    frame: { $case: "sessionStarted", value } as const,
  };
  socket.send(ConnectResponse.encode(greeting).finish());
});
process.once("SIGTERM", () => process.exit(0));
