import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { ConnectRequest, ConnectResponse, Receipt, SessionStarted } from "claw-chat-hub/protocol";

type Message = Extract<ConnectRequest["frame"], { $case: "chatMessage" }>["value"];

/** What a relay does wrong, to one message of those it passes on. */
export interface Fault {
  /** What it delivers in place of a message; `next` is the one after it, which it then swallows. */
  deliver?: (message: Message, next: Message) => Message[];
  /** What it answers instead of the right receipt. */
  answer?: (receipt: Receipt) => Receipt[];
}

/** Which message of a conversation meets the fault, the first one not counted. */
const FAULTY = 10;

/** A relay that keeps two agents' conversation but for one fault, on the bare TCP of the benchmark. */
export async function startFaultyRelay(
  fault: Fault,
): Promise<{ address: string } & AsyncDisposable> {
  const agents = new Map<string, Socket>();
  let kept: Message | undefined;
  let count = 0;

  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    let peer = "";
    let id = "";
    let seq = 0;
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
        const bytes = rest.subarray(4, 4 + rest.readUInt32BE());
        rest = rest.subarray(4 + bytes.length);
        if (id === "") greet(bytes.toString());
        else take(ConnectRequest.decode(bytes));
      }
    });

    function greet(name: string): void {
      id = name;
      agents.set(id, socket);
      write(socket, { frame: { $case: "sessionStarted", value: SessionStarted.create() } });
    }

    function take({ requestId, frame }: ConnectRequest): void {
      if (frame?.$case !== "chatMessage") return;
      peer ||= frame.value.targetAgent;
      seq += 1;
      const receipt = { ...Receipt.create(), requestId, channelId: "channel", seq: BigInt(seq) };
      const message = { ...frame.value, seq: BigInt(seq) };
      count += 1;
      const isFaulty = count === FAULTY;
      const receipts = isFaulty && fault.answer ? fault.answer(receipt) : [receipt];
      if (receipts.length > 0) write(socket, { receipts });
      const to = agents.get(peer);
      for (const value of deliveries(message, isFaulty)) {
        if (to !== undefined) write(to, { frame: { $case: "chatMessage", value } });
      }
    }

    function deliveries(message: Message, isFaulty: boolean): Message[] {
      if (kept !== undefined && fault.deliver !== undefined) {
        const first = kept;
        kept = undefined;
        return fault.deliver(first, message);
      }
      if (!isFaulty || fault.deliver === undefined) return [message];
      kept = message;
      return [];
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    address: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of agents.values()) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function write(socket: Socket, response: Partial<ConnectResponse>): void {
  const bytes = ConnectResponse.encode({ ...ConnectResponse.create(), ...response }).finish();
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  socket.write(Buffer.concat([head, bytes]));
}
