import type { Command } from "commander";
import { acceptFrame, rejectFrame } from "../client/to-wire.js";
import { agentAction, as, newCommand } from "./command.js";
import { EXIT, UsageError } from "./exit.js";
import { frameCall } from "./outside-call.js";
import { printReceipt } from "./receipt-line.js";
import { choice, number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

interface WhichRequest {
  channel?: string;
  consumer?: string;
  service?: string;
}

/** `claw-chat accept`: agrees to a chat. */
export function acceptCommand(env: Environment): Command {
  const command = addWhichRequest(
    newCommand({
      name: "accept",
      summary: "Accept a pending request for one of your services, or for a direct chat.",
      settings: AGENT_SETTINGS,
      examples: [
        "accept --agent weather-provider --channel ch_123",
        'accept --agent weather-provider --consumer alice --content "Which city?"',
      ],
    }),
  ).option("--content <text>", "words for the consumer");
  return agentAction<WhichRequest & { content?: string }>(
    command,
    env,
    async ({ settings, options, printInstead }) => {
      const accept = {
        ...whichRequest(options),
        ...(options.content === undefined ? {} : { content: options.content }),
      };
      if (printInstead) return printInstead(frameCall(acceptFrame(accept)));
      const receipt = await withClient(settings, (client) => client.acceptChat(accept));
      await printReceipt(receipt, settings.json);
      return EXIT.ok;
    },
  );
}

const CODES = choice("code", ["busy", "not_allowed", "unsupported"]);
const SECONDS = number({ placeholder: "seconds", least: 0, most: 7 * 24 * 3600 });

interface RejectFlags extends WhichRequest {
  reason?: string;
  code?: NonNullable<ReturnType<typeof CODES.fromText>>;
  retryAfter?: number;
}

/** `claw-chat reject`: declines a chat. */
export function rejectCommand(env: Environment): Command {
  const command = addWhichRequest(
    newCommand({
      name: "reject",
      summary: "Reject a pending request.",
      settings: AGENT_SETTINGS,
      examples: [
        'reject --agent weather-provider --channel ch_123 --code unsupported --reason "No tides"',
        "reject --agent weather-provider --consumer alice --code busy --retry-after 60",
      ],
    }),
  )
    .option("--reason <text>", "words for the consumer")
    .option("--code <code>", `the same for programs: ${CODES.expected}`, as(CODES))
    .option("--retry-after <seconds>", "when asking again may make sense", as(SECONDS));
  return agentAction<RejectFlags>(command, env, async ({ settings, options, printInstead }) => {
    const { reason, code, retryAfter } = options;
    const reject = {
      ...whichRequest(options),
      ...(reason === undefined ? {} : { reason }),
      ...(code === undefined ? {} : { code }),
      ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter * 1000 }),
    };
    if (printInstead) return printInstead(frameCall(rejectFrame(reject)));
    const receipt = await withClient(settings, (client) => client.rejectChat(reject));
    await printReceipt(receipt, settings.json);
    return EXIT.ok;
  });
}

function addWhichRequest(command: Command): Command {
  return command
    .option("--channel <id>", "the request's channel")
    .option("--consumer <agent>", "this agent's one pending request")
    .option("--service <id>", "with --consumer: the request for this service");
}

function whichRequest(flags: WhichRequest): {
  channelId?: string;
  consumerId?: string;
  serviceId?: string;
} {
  const { channel, consumer, service } = flags;
  if (channel === undefined && consumer === undefined) {
    throw new UsageError("which request? Give --channel ID or --consumer AGENT.");
  }
  return {
    ...(channel === undefined ? {} : { channelId: channel }),
    ...(consumer === undefined ? {} : { consumerId: consumer }),
    ...(service === undefined ? {} : { serviceId: service }),
  };
}
