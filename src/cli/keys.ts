import { Command } from "commander";
import { createCommand } from "./keys-create.js";
import { listCommand } from "./keys-list.js";
import { revokeCommand } from "./keys-revoke.js";
import { rotateCommand } from "./keys-rotate.js";
import type { Environment } from "./settings.js";

/** `claw-chat keys`: the API keys of a hub. */
export function keysCommand(env: Environment): Command {
  const command = new Command("keys")
    .description("Make, list, revoke or rotate the API keys of a hub.")
    .usage("<command> [options]")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nThe keys are in the database that --db names, as for serve. A hub that runs on it notices.\n" +
        "\nExamples:\n  $ claw-chat keys create weather-provider --db hub.db\n  $ claw-chat keys list --db hub.db",
    );
  for (const one of [createCommand, listCommand, revokeCommand, rotateCommand]) {
    command.addCommand(one(env));
  }
  return command;
}
