/**
 * The ceiling: a relay on bare TCP. Each message has four bytes of length before it. A connection
 * begins with the name of its agent; its first message opens a chat, and whatever follows goes to
 * the other agent as it came, unread, and is answered with a receipt that repeats its request_id.
 *
 * Prints `{"address": "..."}` when it listens; ends on SIGTERM.
 */
import { createServer, type Socket } from "node:net";
import { ConnectRequest } from "claw-chat-hub/protocol";
import { createFramedReader } from "../load/framed-reader.ts";
import { createOutput, type Output } from "../load/output.ts";
import { hasFrame, receiptFor, SESSION_STARTED } from "../load/response-bytes.ts";

interface Agent {
  id: string;
  output: Output;
  peer: Agent | undefined;
}

const agents = new Map<string, Agent>();

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
      pass(output, SESSION_STARTED, 0, SESSION_STARTED.length);
    } else if (hasFrame(bytes, from)) relay(agent, bytes, from, to);
  }
});

function relay(agent: Agent, bytes: Buffer, from: number, to: number): void {
  agent.peer ??= peerIn(bytes.subarray(from, to));
  if (agent.peer === undefined) return;
  const receipt = receiptFor(bytes, from);
  pass(agent.output, receipt, 0, receipt.length);
  pass(agent.peer.output, bytes, from, to);
}

function peerIn(request: Buffer): Agent | undefined {
  const { frame } = ConnectRequest.decode(request);
  return frame?.$case === "chatMessage" ? agents.get(frame.value.targetAgent) : undefined;
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
