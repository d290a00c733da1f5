import type { Command } from "commander";
import type { ChatClient } from "../client/chat-client.js";
import { agentAction, as, newCommand } from "./command.js";
import { createEntryPrinter } from "./entry-printer.js";
import { CommandError, EXIT } from "./exit.js";
import { untilInterrupted } from "./interrupt.js";
import { openCall } from "./outside-call.js";
import { number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS, type AgentSettings } from "./settings.js";
import { tracedEntries } from "./traced-entry.js";
import { withClient } from "./with-client.js";

const COUNT = number({ placeholder: "n", least: 1, most: 1_000_000_000, whole: true });

interface ListenFlags {
  count?: number;
  ack: boolean;
}

/** `claw-chat listen`: prints what is delivered to the agent. */
export function listenCommand(env: Environment): Command {
  const command = newCommand({
    name: "listen",
    summary: "Print what is delivered to an agent: what waited first, then as it arrives.",
    settings: AGENT_SETTINGS,
    examples: [
      "listen --agent weather-provider",
      "listen --agent alice --count 1 --json",
      "listen --agent alice --no-ack",
    ],
    notes:
      "Each entry is acknowledged once it is printed, and is not delivered again.\n" +
      "This is the agent's receiving session: an older one of the same agent is ended.\n" +
      `Exit codes: ${EXIT.ok} after --count entries, ${EXIT.interrupted} on Ctrl-C, ` +
      `${EXIT.failed} when a newer session takes over.`,
  })
    .option("--count <n>", "end after this many entries", as(COUNT))
    .option("--no-ack", "acknowledge nothing: the entries are delivered again next time");
  return agentAction<ListenFlags>(command, env, ({ settings, options, printInstead }) => {
    if (printInstead) {
      const remarks = ["grpcurl ends when its input does: press Ctrl-D, or type frames before."];
      return printInstead(openCall(options.ack ? "auto" : "manual"), remarks);
    }
    return untilInterrupted((signal) => listen(settings, options, signal));
  });
}

async function listen(
  settings: AgentSettings,
  options: ListenFlags,
  signal: AbortSignal,
): Promise<number> {
  const printer = createEntryPrinter(settings.json, options.count ?? Number.POSITIVE_INFINITY);
  const { show } = printer;
  const work = (client: ChatClient) =>
    Promise.race([printer.finished, interrupted(signal), ended(client, settings.json)]);
  if (options.ack) {
    await withClient(settings, work, {
      receive: "manual",
      signal,
      beforeConnect(client) {
        const handlers = { request: show, accept: show, reject: show, message: show, end: show };
        printer.onLast(client.listen(handlers));
      },
    });
  } else {
    // Nobody listens, so the client acks nothing: the entries are read off the wire instead.
    const newEntry = tracedEntries();
    await withClient(settings, work, {
      receive: "manual",
      signal,
      onFrame(frame) {
        // What show throws, printer.finished tells as well.
        const entry = newEntry(frame);
        if (entry !== undefined) show(entry).catch(() => {});
      },
    });
  }
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Tells people how the connection comes and goes. Rejects when it is gone for good. */
async function ended(client: ChatClient, json: boolean): Promise<void> {
  const tell = (line: string) => {
    if (!json) process.stderr.write(`${line}\n`);
  };
  for await (const event of client.connection()) {
    switch (event.state) {
      case "connected":
        tell(`listening as ${client.agentId}`);
        break;
      case "disconnected":
        tell("the hub is gone; trying again");
        break;
      case "superseded":
        throw new CommandError(
          `a newer session of ${client.agentId} took over; this one has ended.`,
          EXIT.failed,
        );
      case "closed":
        if (event.error !== undefined) throw event.error;
        return;
      case "connecting":
        break;
      default:
        event satisfies never;
    }
  }
}
