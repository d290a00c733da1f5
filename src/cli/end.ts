import type { Command } from "commander";
import { endFrame } from "../client/to-wire.js";
import { agentAction, as, newCommand } from "./command.js";
import { EXIT } from "./exit.js";
import { frameCall } from "./outside-call.js";
import { printReceipt } from "./receipt-line.js";
import { choice } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

const CODES = choice("code", ["completed", "cancelled", "failed"]);

interface EndFlags {
  channel: string;
  reason?: string;
  code?: NonNullable<ReturnType<typeof CODES.fromText>>;
}

/** `claw-chat end`: ends a chat. */
export function endCommand(env: Environment): Command {
  const command = newCommand({
    name: "end",
    summary: "End a chat, or take your pending request back. The history stays readable.",
    settings: AGENT_SETTINGS,
    examples: ['end --agent alice --channel ch_123 --code completed --reason "Thank you"'],
  })
    .requiredOption("--channel <id>", "the chat to end")
    .option("--reason <text>", "words for the other side")
    .option("--code <code>", `the same for programs: ${CODES.expected}`, as(CODES));
  return agentAction<EndFlags>(command, env, async ({ settings, options, printInstead }) => {
    const end = {
      channelId: options.channel,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.code === undefined ? {} : { code: options.code }),
    };
    if (printInstead) return printInstead(frameCall(endFrame(end)));
    const receipt = await withClient(settings, (client) => client.endChat(end));
    await printReceipt(receipt, settings.json);
    return EXIT.ok;
  });
}
