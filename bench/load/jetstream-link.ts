import { connect } from "node:net";
import { ConnectRequest } from "claw-chat-hub/protocol";
import type { Link, LinkOptions } from "./link.ts";
import { createOutput } from "./output.ts";
import { hasFrame, receiptFor, SESSION_STARTED } from "./response-bytes.ts";

const CRLF = Buffer.from("\r\n");
const EMPTY = new Uint8Array(0);
const CR = 13;
/** Subscriptions of an agent, by what comes on them. */
const ANSWERS = "1";
const RECEIPTS = "2";
const DELIVERIES = "3";

/**
 * An agent on NATS JetStream: each agent has a stream that others publish to, and a durable push
 * consumer of it whose acks cover everything before. A receipt is the answer to a publication.
 */
export function openJetstreamLink(of: LinkOptions): Link {
  const [host = "", port] = of.address.split(":");
  const socket = connect({ host, port: Number(port), noDelay: true });
  const output = createOutput(socket);
  const over = Promise.withResolvers<void>();
  const { agentId } = of;
  const deliveries = `deliver.${agentId}`;
  const unanswered: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let peer = "";
  let lastReply = "";
  let made = 0;
  let begun = false;
  let ending = false;

  function publish(subject: string, reply: string, payload: Uint8Array): void {
    output.put(Buffer.from(`PUB ${subject} ${reply} ${payload.length}\r\n`));
    output.put(payload);
    output.put(CRLF);
  }

  function ask(subject: string, request: object): void {
    publish(`$JS.API.${subject}`, `answer.${agentId}`, Buffer.from(JSON.stringify(request)));
  }

  function begin(): void {
    begun = true;
    const lines = [
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, lang: "bench", version: "1" })}`,
      `SUB answer.${agentId} ${ANSWERS}`,
      `SUB receipt.${agentId} ${RECEIPTS}`,
      `SUB ${deliveries} ${DELIVERIES}`,
    ];
    output.put(Buffer.from(`${lines.join("\r\n")}\r\n`));
    ask(`STREAM.CREATE.${agentId}`, {
      name: agentId,
      subjects: [`inbox.${agentId}`],
      storage: "file",
      retention: "limits",
    });
  }

  function makeConsumer(): void {
    ask(`CONSUMER.DURABLE.CREATE.${agentId}.reader`, {
      stream_name: agentId,
      config: {
        ...{ durable_name: "reader", deliver_subject: deliveries, deliver_policy: "all" },
        ...{ ack_policy: "all", max_ack_pending: 256 },
      },
    });
  }

  /** The stream is made, and then its consumer. */
  function takeAnswer(text: string): void {
    if ("error" in JSON.parse(text)) of.onEnd(text);
    made += 1;
    if (made === 1) makeConsumer();
    else of.onMessage(SESSION_STARTED, 0, SESSION_STARTED.length);
  }

  function takeReceipt(text: string): void {
    const receipt = unanswered.shift();
    if (receipt === undefined || !text.includes('"seq":')) of.onEnd(text);
    else of.onMessage(receipt, 0, receipt.length);
  }

  /** MSG subject subscription [reply] size, and the payload behind it. */
  function takeMessage(words: string[], from: number, to: number): void {
    if (words[2] === DELIVERIES) {
      lastReply = words[3] ?? "";
      of.onMessage(rest, from, to);
    } else {
      const text = rest.toString("latin1", from, to);
      if (words[2] === RECEIPTS) takeReceipt(text);
      else takeAnswer(text);
    }
  }

  /** Where the next line begins, or -1 where this one is not complete. */
  function takeLine(at: number): number {
    const end = rest.indexOf(CR, at);
    if (end < 0 || end + 2 > rest.length) return -1;
    const words = rest.toString("latin1", at, end).split(" ");
    const [kind = ""] = words;
    if (kind === "MSG") {
      const from = end + 2;
      const to = from + Number(words.at(-1));
      if (to + 2 > rest.length) return -1;
      takeMessage(words, from, to);
      return to + 2;
    }
    // The server says it again when something changes.
    if (kind === "INFO" && !begun) begin();
    if (kind === "PING") output.put(Buffer.from("PONG\r\n"));
    if (kind === "-ERR") of.onEnd(words.join(" "));
    return end + 2;
  }

  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let next = takeLine(at); next >= 0; next = takeLine(at)) at = next;
    rest = rest.subarray(at);
    of.onRead?.();
  });
  socket.on("error", (error) => ending || of.onEnd(error.message));
  socket.on("close", () => {
    over.resolve();
    if (!ending) of.onEnd("the connection was closed");
  });

  return {
    send(message) {
      if (!hasFrame(message)) {
        publish(lastReply, "", EMPTY);
        return;
      }
      peer ||= `inbox.${targetOf(message)}`;
      unanswered.push(receiptFor(message));
      publish(peer, `receipt.${agentId}`, message);
    },
    async close() {
      ending = true;
      setImmediate(() => socket.end());
      await over.promise;
    },
  };
}

function targetOf(message: Uint8Array): string {
  const { frame } = ConnectRequest.decode(message);
  return frame?.$case === "chatMessage" ? frame.value.targetAgent : "";
}
