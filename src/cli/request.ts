import type { Command } from "commander";
import type { ChatClient } from "../client/chat-client.js";
import { answerOfChannel } from "../client/from-wire.js";
import { requestFrame } from "../client/to-wire.js";
import type { ChannelInfo } from "../client/vocabulary.js";
import { answeredChannel } from "./answered-channel.js";
import { agentAction, as, newCommand } from "./command.js";
import { EXIT, UsageError } from "./exit.js";
import { untilInterrupted } from "./interrupt.js";
import { print, printJson } from "./output.js";
import { frameCall, withoutKey } from "./outside-call.js";
import type { PrintInstead } from "./print-flag.js";
import { printable } from "./printable.js";
import { printReceipt } from "./receipt-line.js";
import { number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS, type AgentSettings } from "./settings.js";
import { withClient } from "./with-client.js";

const SECONDS = number({ placeholder: "seconds", least: 0.001, most: 7 * 24 * 3600 });
const DEFAULT_ANSWER_WITHIN_S = 300;
/** The hub says EXPIRED itself; this much later something is wrong with it. */
const GRACE_MS = 30_000;

interface RequestFlags {
  service?: string;
  provider?: string;
  content?: string;
  answerWithin?: number;
  idempotencyKey?: string;
  wait: boolean;
}

/** `claw-chat request`: asks for a chat and waits for the answer. */
export function requestCommand(env: Environment): Command {
  const command = newCommand({
    name: "request",
    summary: "Ask a provider for a chat, and wait until it answers.",
    settings: AGENT_SETTINGS,
    examples: [
      'request --agent alice --service weather --content "The weather in Berlin, please"',
      "request --agent alice --provider bob --answer-within 60 --json",
      "request --agent alice --service weather --no-wait",
    ],
    notes:
      `Exit codes: ${EXIT.ok} accepted, ${EXIT.declined} rejected, expired or taken back.\n` +
      "Your running session, if there is one, is left alone, and is sent the answer too.",
  })
    .option("--service <id>", "the service to ask for")
    .option("--provider <agent>", "the agent to ask; without --service for a direct chat")
    .option("--content <text>", "what you want, in your own words")
    .option("--answer-within <seconds>", "then the request expires [300]", as(SECONDS))
    .option("--idempotency-key <key>", "stored once under this key, however often it is sent")
    .option("--no-wait", "return once the request is stored");
  return agentAction<RequestFlags>(command, env, (call) =>
    untilInterrupted((signal) => request(call, signal)),
  );
}

async function request(
  call: { settings: AgentSettings; options: RequestFlags; printInstead: PrintInstead | undefined },
  signal: AbortSignal,
): Promise<number> {
  const { settings, options, printInstead } = call;
  const { service, provider, content, answerWithin, idempotencyKey } = options;
  if (service === undefined && provider === undefined) {
    throw new UsageError("a chat with whom? Give --service ID or --provider AGENT.");
  }
  const asked = {
    ...(service === undefined ? {} : { serviceId: service }),
    ...(provider === undefined ? {} : { providerId: provider }),
    ...(content === undefined ? {} : { content }),
    ...(answerWithin === undefined ? {} : { answerWithinMs: answerWithin * 1000 }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  if (printInstead) {
    const frame = requestFrame(asked);
    const remarks = options.wait ? ["grpcurl does not wait for the answer to the request."] : [];
    return printInstead(frameCall(idempotencyKey ? frame : withoutKey(frame)), remarks);
  }
  const work = async (client: ChatClient) => {
    const receipt = await client.sendRequest(asked, { signal });
    if (!options.wait) {
      await printReceipt(receipt, settings.json);
      return EXIT.ok;
    }
    const withinMs = (answerWithin ?? DEFAULT_ANSWER_WITHIN_S) * 1000 + GRACE_MS;
    const { timeout, json } = settings;
    const bounds = { withinMs, lookMs: timeout * 1000, signal, quiet: json };
    const channel = await answeredChannel(client, receipt.channelId, bounds);
    return printAnswer(channel, settings.json);
  };
  return withClient(settings, work, { signal });
}

async function printAnswer(channel: ChannelInfo, json: boolean): Promise<number> {
  const status = answerOfChannel(channel)?.status ?? "taken_back";
  const { channelId, providerId, reason, rejectCode } = channel;
  if (json) {
    await printJson({ status, ...channel });
  } else {
    const by = status === "accepted" || status === "rejected" ? ` by ${printable(providerId)}` : "";
    const code = status === "rejected" && rejectCode !== undefined ? ` (${rejectCode})` : "";
    const words = reason === "" ? "" : `: ${printable(reason)}`;
    await print(`${status.replace("_", " ")}${by}${code}${words}  ${printable(channelId)}`);
  }
  return status === "accepted" ? EXIT.ok : EXIT.declined;
}
