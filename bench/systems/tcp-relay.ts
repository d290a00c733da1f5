/**
 * The ceiling: a relay on bare TCP. Each message has four bytes of length before it. A connection
 * begins with the name of its agent; its first message opens a chat, and whatever follows goes to
 * the other agent as it came, unread, and is answered with a receipt that repeats its request_id.
 *
 * Prints `{"address": "..."}` when it listens; ends on SIGTERM.
 */
import { createServer, type Socket } from "node:net";
import { ConnectRequest, ConnectResponse, SessionStarted } from "claw-chat-hub/protocol";
import { createFramedReader } from "../load/framed-reader.ts";
import { createOutput, type Output } from "../load/output.ts";

interface Agent {
  id: string;
  output: Output;
  peer: Agent | undefined;
}

const agents = new Map<string, Agent>();
/** The tag of a request_id, and of acks. */
const REQUEST_ID = 0x0a;
const RECEIPTS = 0x12;

const server = createServer({ noDelay: true }, (socket: Socket) => {
  const output = createOutput(socket);
  let agent: Agent | undefined;
  const reader = createFramedReader(4, (bytes, at) => bytes.readUInt32BE(at), take);
  socket.on("data", (chunk: Buffer) => reader.take(chunk, 0, chunk.length));
  socket.on("error", () => {});
  socket.on("end", () => socket.end());

  function take(bytes: Buffer, from: number, to: number): void {
    if (agent === undefined) {
      agent = { id: bytes.toString("latin1", from, to), output, peer: undefined };
      agents.set(agent.id, agent);
      const value = { ...SessionStarted.create(), agentId: agent.id };
      answer(output, { ...ConnectResponse.create(), frame: { $case: "sessionStarted", value } });
    } else if (bytes[from] === REQUEST_ID) relay(agent, bytes, from, to);
  }
});

function relay(agent: Agent, bytes: Buffer, from: number, to: number): void {
  agent.peer ??= peerIn(bytes.subarray(from, to));
  if (agent.peer === undefined) return;
  // request_id has the same number in a request, a response and a receipt.
  const idBytes = 2 + (bytes[from + 1] ?? 0);
  const { output } = agent;
  const place = output.room(6 + idBytes);
  place.bytes.writeUInt32BE(2 + idBytes, place.at);
  place.bytes[place.at + 4] = RECEIPTS;
  place.bytes[place.at + 5] = idBytes;
  bytes.copy(place.bytes, place.at + 6, from, from + idBytes);
  pass(agent.peer.output, bytes, from, to);
}

function peerIn(request: Buffer): Agent | undefined {
  const { frame } = ConnectRequest.decode(request);
  return frame?.$case === "chatMessage" ? agents.get(frame.value.targetAgent) : undefined;
}

function answer(output: Output, response: ConnectResponse): void {
  const bytes = Buffer.from(ConnectResponse.encode(response).finish());
  pass(output, bytes, 0, bytes.length);
}

function pass(output: Output, message: Buffer, from: number, to: number): void {
  const { bytes, at } = output.room(4 + to - from);
  bytes.writeUInt32BE(to - from, at);
  message.copy(bytes, at + 4, from, to);
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.stdout.write(`${JSON.stringify({ address: `127.0.0.1:${address.port}` })}\n`);
});
process.once("SIGTERM", () => process.exit(0));
