import { isUtf8 } from "node:buffer";
import type { Command } from "commander";
import { messageFrame } from "../client/to-wire.js";
import { MAX_TRANSPORT_BYTES } from "../protocol/limits.js";
import { agentAction, newCommand } from "./command.js";
import { EXIT, UsageError } from "./exit.js";
import { frameCall, withoutKey } from "./outside-call.js";
import { printReceipt } from "./receipt-line.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

interface SendFlags {
  to?: string;
  channel?: string;
  service?: string;
  contentType?: string;
  replyTo?: string;
  messageId?: string;
}

/** `claw-chat send`: says something in a chat. */
export function sendCommand(env: Environment): Command {
  const command = newCommand({
    name: "send",
    summary: "Send a message, and return once the hub has stored it.",
    settings: AGENT_SETTINGS,
    examples: [
      'send --agent alice --to weather-provider "And tomorrow?"',
      'send --agent alice --channel ch_123 --message-id question-1 "And tomorrow?"',
      "send --agent alice --service weather --content-type application/json - < question.json",
    ],
    notes:
      "With --message-id the message is stored once, however often the command is run.\n" +
      "Input that is no UTF-8 text is sent as bytes.",
  })
    .argument("<content>", "the text; - reads it from stdin")
    .option("--to <agent>", "in the most recently used chat with this agent, or a new one")
    .option("--channel <id>", "in this channel")
    .option("--service <id>", "in your newest chat about this service")
    .option("--content-type <type>", "a media type, for content that is not plain text")
    .option("--reply-to <id>", "the message_id this answers")
    .option("--message-id <id>", "your own key for the message");
  return agentAction<SendFlags>(command, env, async (call) => {
    const { settings, options, words, printInstead } = call;
    const { to, channel, service, contentType, replyTo, messageId } = options;
    if (to === undefined && channel === undefined && service === undefined) {
      throw new UsageError("to whom? Give --to AGENT, --channel ID or --service ID.");
    }
    const body = await readBody(words[0] ?? "");
    const message = {
      ...body,
      ...(to === undefined ? {} : { targetAgent: to }),
      ...(channel === undefined ? {} : { channelId: channel }),
      ...(service === undefined ? {} : { serviceId: service }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(messageId === undefined ? {} : { messageId }),
    };
    if (printInstead) {
      const frame = messageFrame(message);
      return printInstead(frameCall(messageId ? frame : withoutKey(frame)));
    }
    const receipt = await withClient(settings, (client) => client.sendMessage(message));
    await printReceipt(receipt, settings.json);
    return EXIT.ok;
  });
}

async function readBody(
  word: string,
): Promise<{ content: string } | { data: Uint8Array; contentType: string }> {
  if (word !== "-") return { content: word };
  const bytes = await readInput();
  if (isUtf8(bytes)) return { content: bytes.toString("utf8") };
  return { data: bytes, contentType: "application/octet-stream" };
}

/** All of stdin, as long as it may still fit into a message; which size the hub takes, it says itself. */
async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_TRANSPORT_BYTES) {
      throw new UsageError(
        `the input is longer than ${MAX_TRANSPORT_BYTES} bytes, more than any hub takes in one message: send it in parts.`,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
