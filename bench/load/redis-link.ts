import { connect } from "node:net";
import { ConnectRequest } from "claw-chat-hub/protocol";
import type { Link, LinkOptions } from "./link.ts";
import { createOutput } from "./output.ts";
import { createRespReader, type Reply } from "./resp-reader.ts";
import { hasFrame, receiptFor, SESSION_STARTED } from "./response-bytes.ts";

const GROUP = "bench";
/** Entries that a read brings at most: as many as the hub delivers of a channel without an ack. */
const COUNT = "256";

/**
 * An agent on Redis streams: each agent has a stream that others add to, and reads it as a consumer
 * group. A receipt is the answer to XADD, an ack is XACK.
 */
export function openRedisLink(of: LinkOptions): Link {
  const over = Promise.withResolvers<void>();
  const own = `inbox:${of.agentId}`;
  const unanswered: Buffer[] = [];
  let peer = "";
  let unacked: string[] = [];
  let ending = false;

  const writing = openConnection((reply) => {
    const receipt = unanswered.shift();
    if (reply instanceof Error) of.onEnd(reply.message);
    else if (receipt !== undefined && receipt.length > 0) {
      of.onMessage(receipt, 0, receipt.length);
      of.onRead?.();
    }
  });
  const reading = openConnection((reply) => {
    if (reply instanceof Error) of.onEnd(reply.message);
    else if (reply === "OK") {
      of.onMessage(SESSION_STARTED, 0, SESSION_STARTED.length);
      readOn();
    } else {
      takeEntries(reply);
      readOn();
      of.onRead?.();
    }
  });

  function openConnection(onReply: (reply: Reply) => void) {
    const [host = "", port] = of.address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    const output = createOutput(socket);
    const reader = createRespReader(onReply);
    socket.on("data", reader);
    socket.on("error", (error) => ending || of.onEnd(error.message));
    socket.on("close", () => {
      over.resolve();
      if (!ending) of.onEnd("the connection was closed");
    });
    return {
      socket,
      command(...words: (string | Uint8Array)[]) {
        output.put(Buffer.from(`*${words.length}\r\n`));
        for (const word of words) {
          const size = typeof word === "string" ? Buffer.byteLength(word) : word.length;
          output.put(Buffer.from(`$${size}\r\n`));
          output.put(typeof word === "string" ? Buffer.from(word) : word);
          output.put(CRLF);
        }
      },
    };
  }

  function readOn(): void {
    const words = ["GROUP", GROUP, "reader", "COUNT", COUNT, "BLOCK", "0", "STREAMS", own, ">"];
    reading.command("XREADGROUP", ...words);
  }

  /** [[stream, [[id, [field, payload]], …]]] */
  function takeEntries(reply: Reply): void {
    const [[, entries] = []] = reply as [[Buffer, [Buffer, [Buffer, Buffer]][]]];
    for (const [id, [, payload]] of entries ?? []) {
      unacked.push(id.toString());
      of.onMessage(payload, 0, payload.length);
    }
  }

  function send(message: Uint8Array): void {
    if (!hasFrame(message)) {
      unanswered.push(NO_RECEIPT);
      writing.command("XACK", own, GROUP, ...unacked);
      unacked = [];
      return;
    }
    peer ||= `inbox:${targetOf(message)}`;
    unanswered.push(receiptFor(message));
    writing.command("XADD", peer, "*", "m", message);
  }

  reading.command("XGROUP", "CREATE", own, GROUP, "$", "MKSTREAM");
  return {
    send,
    async close() {
      ending = true;
      setImmediate(() => {
        writing.socket.end();
        reading.socket.destroy();
      });
      await over.promise;
    },
  };
}

const CRLF = Buffer.from("\r\n");
const NO_RECEIPT = Buffer.alloc(0);

function targetOf(message: Uint8Array): string {
  const { frame } = ConnectRequest.decode(message);
  return frame?.$case === "chatMessage" ? frame.value.targetAgent : "";
}
