import { styleText } from "node:util";
import type { Command } from "commander";
import type { HistoryMessage, HistoryPage } from "../client/vocabulary.js";
import { agentAction, as, newCommand } from "./command.js";
import { clock, saidOf } from "./entry-line.js";
import { EXIT, UsageError } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import { number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

const LIMIT = number({ placeholder: "n", least: 1, most: 1000, whole: true });
const SEQ = number({ placeholder: "seq", least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });
const ALL_PAGE_SIZE = 1000;

interface HistoryFlags {
  channel?: string;
  service?: string;
  limit?: number;
  before?: number;
  after?: number;
  all?: boolean;
}

/** `claw-chat history`: reads the messages of a chat. */
export function historyCommand(env: Environment): Command {
  const command = newCommand({
    name: "history",
    summary: "Read the messages of a chat, oldest first; the newest 50 where nothing else is said.",
    settings: AGENT_SETTINGS,
    examples: [
      "history --agent alice --channel ch_123",
      "history --agent alice --service weather --all --json",
      "history --agent alice --channel ch_123 --before 120 --limit 20",
    ],
  })
    .option("--channel <id>", "the chat")
    .option("--service <id>", "your newest chat about this service")
    .option("--limit <n>", `at most this many: ${LIMIT.expected}`, as(LIMIT))
    .option("--before <seq>", "only messages with a smaller seq", as(SEQ))
    .option("--after <seq>", "only messages with a larger seq", as(SEQ))
    .option("--all", "every message, from the first, or after --after");
  return agentAction<HistoryFlags>(command, env, async ({ settings, options }) => {
    const { channel, service, limit, before, after, all } = options;
    if (channel === undefined && service === undefined) {
      throw new UsageError("which chat? Give --channel ID or --service ID.");
    }
    if (all && (limit !== undefined || before !== undefined)) {
      throw new UsageError("--all goes with neither --limit nor --before.");
    }
    let where: { channelId: string } | { serviceId: string } =
      channel !== undefined ? { channelId: channel } : { serviceId: service ?? "" };
    let from = all ? (after ?? 0) : after;
    const show = (message: HistoryMessage) =>
      settings.json ? printJson(message) : print(messageLine(message));
    await withClient(settings, async (client) => {
      for (;;) {
        const page = await client.getHistory({
          ...where,
          ...(all ? { limit: ALL_PAGE_SIZE } : {}),
          ...(limit === undefined ? {} : { limit }),
          ...(before === undefined ? {} : { beforeSeq: before }),
          ...(from === undefined ? {} : { afterSeq: from }),
        });
        for (const message of page.messages) await show(message);
        const last = page.messages.at(-1);
        if (last === undefined && from === undefined && !settings.json) await print(noneLine(page));
        if (!page.hasMore || last === undefined) return;
        if (!all) {
          if (!settings.json) await print(moreLine(page.messages, after !== undefined));
          return;
        }
        // The service's newest chat may be another one by now: stay with this.
        where = { channelId: page.channel.channelId };
        from = last.seq;
      }
    });
    return EXIT.ok;
  });
}

function messageLine(message: HistoryMessage): string {
  const seq = `#${message.seq}`.padStart(5);
  return `${clock(message.timestamp)} ${seq}  ${printable(message.senderId)}: ${printable(saidOf(message))}`;
}

/** An empty answer is easily taken for lost messages, so it says which chat was read. */
function noneLine({ channel: { channelId, state } }: HistoryPage): string {
  return styleText("dim", `No messages in ${channelId}, which is ${state}.`);
}

function moreLine(messages: HistoryMessage[], forward: boolean): string {
  const seq = forward ? messages.at(-1)?.seq : messages[0]?.seq;
  return styleText("dim", `There is more: ${forward ? "--after" : "--before"} ${seq}`);
}
