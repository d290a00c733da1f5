import { styleText } from "node:util";
import type { Command } from "commander";
import type { ChatClient } from "../client/chat-client.js";
import { historyFrame } from "../client/to-wire.js";
import type { HistoryMessage, HistoryPage, HistoryQuery } from "../client/vocabulary.js";
import { agentAction, as, newCommand } from "./command.js";
import { clock, saidOf } from "./entry-line.js";
import { EXIT, UsageError } from "./exit.js";
import { print, printJson } from "./output.js";
import { frameCall } from "./outside-call.js";
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
  return agentAction<HistoryFlags>(command, env, async ({ settings, options, printInstead }) => {
    const { channel, service, limit, before, after, all } = options;
    if (channel === undefined && service === undefined) {
      throw new UsageError("which chat? Give --channel ID or --service ID.");
    }
    if (all && (limit !== undefined || before !== undefined)) {
      throw new UsageError("--all goes with neither --limit nor --before.");
    }
    const chat: { channelId: string } | { serviceId: string } =
      channel !== undefined ? { channelId: channel } : { serviceId: service ?? "" };
    const query = {
      ...chat,
      ...(all ? { limit: ALL_PAGE_SIZE } : {}),
      ...(limit === undefined ? {} : { limit }),
      ...(before === undefined ? {} : { beforeSeq: before }),
      ...(after === undefined ? {} : { afterSeq: after }),
    };
    if (printInstead) {
      const remarks = all ? ["grpcurl reads one page: hasMore in it says that there is more."] : [];
      return printInstead(frameCall(historyFrame(query)), remarks);
    }
    const show = (message: HistoryMessage) =>
      settings.json ? printJson(message) : print(messageLine(message));
    await withClient(settings, async (client) => {
      const pages = all ? everyPage(client, query) : [await client.getHistory(query)];
      let shown = 0;
      let last: HistoryPage | undefined;
      for await (const page of pages) {
        for (const message of page.messages) await show(message);
        shown += page.messages.length;
        last = page;
        if (page.hasMore && !all && !settings.json) {
          await print(moreLine(page.messages, after !== undefined));
        }
      }
      const none = shown === 0 && after === undefined && !settings.json;
      if (none && last !== undefined) await print(noneLine(last));
    });
    return EXIT.ok;
  });
}

/** Page after page, from the first message, or the first after a seq. */
async function* everyPage(
  client: ChatClient,
  query: HistoryQuery,
): AsyncGenerator<HistoryPage, void, undefined> {
  let where = query;
  // No page can be asked for after 0, so what comes first is asked for as that before 2.
  if (!query.afterSeq) where = { ...query, beforeSeq: 2 };
  for (;;) {
    const page = await client.getHistory(where);
    yield page;
    // The one before 2 says nothing about what comes after it.
    const isLast = where.beforeSeq === undefined && (!page.hasMore || page.messages.length === 0);
    if (isLast) return;
    const afterSeq = page.messages.at(-1)?.seq ?? 1;
    // The service's newest chat may be another one by now: stay with this.
    where = { channelId: page.channel.channelId, limit: ALL_PAGE_SIZE, afterSeq };
  }
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
