import type { Command } from "commander";
import { listChannelsRequest } from "../client/to-wire.js";
import { ListChannelsRequest } from "../protocol/wire.js";
import { agentAction, as, newCommand } from "./command.js";
import { EXIT, UsageError } from "./exit.js";
import { print, printJson, printTable } from "./output.js";
import { callOf, LONGEST_PAGE, ONE_PAGE } from "./outside-call.js";
import { choice } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

const STATES = choice("state", ["open", "requested", "active", "rejected", "ended"]);

interface ChannelsFlags {
  state?: NonNullable<ReturnType<typeof STATES.fromText>>;
  service?: string;
  peer?: string;
  member?: string;
  all?: boolean;
}

/** `claw-chat channels`: lists the agent's own channels, or for an admin those of others. */
export function channelsCommand(env: Environment): Command {
  const command = newCommand({
    name: "channels",
    summary: "List your channels, newest first.",
    settings: AGENT_SETTINGS,
    examples: [
      "channels --agent alice",
      "channels --agent alice --state active --json",
      "channels --agent root --all --state active",
    ],
  })
    .option("--state <state>", `only those in this state: ${STATES.expected}`, as(STATES))
    .option("--service <id>", "only those about this service")
    .option("--peer <agent>", "only those with this agent")
    .option("--member <agent>", "for admins: this agent's instead of yours")
    .option("--all", "for admins: everybody's");
  return agentAction<ChannelsFlags>(command, env, async ({ settings, options, printInstead }) => {
    const { member, all } = options;
    if (member !== undefined && all) throw new UsageError("--all goes without --member.");
    const memberId = all ? "*" : member;
    const filter = {
      ...(options.state === undefined ? {} : { state: options.state }),
      ...(options.service === undefined ? {} : { serviceId: options.service }),
      ...(options.peer === undefined ? {} : { peerId: options.peer }),
      ...(memberId === undefined ? {} : { memberId }),
    };
    if (printInstead) {
      const request = ListChannelsRequest.encode(listChannelsRequest(filter, LONGEST_PAGE));
      return printInstead(callOf("ListChannels", request.finish()), [ONE_PAGE]);
    }
    const rows: string[][] = [];
    await withClient(settings, async (client) => {
      for await (const channel of client.listChannels(filter)) {
        if (settings.json) await printJson(channel);
        else {
          const { channelId, state, serviceId, providerId, consumerId, lastSeq } = channel;
          const service = serviceId || "-";
          rows.push([channelId, state, service, providerId, consumerId || "-", String(lastSeq)]);
        }
      }
    });
    if (settings.json) return EXIT.ok;
    if (rows.length === 0) await print("No channel fits.");
    else {
      const headings = ["CHANNEL", "STATE", "SERVICE", "PROVIDER", "CONSUMER", "ENTRIES"];
      await printTable(headings, rows);
    }
    return EXIT.ok;
  });
}
