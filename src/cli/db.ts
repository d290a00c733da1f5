import { Command } from "commander";
import { backupCommand } from "./db-backup.js";
import { pruneCommand } from "./db-prune.js";
import { restoreCommand } from "./db-restore.js";
import { verifyCommand } from "./db-verify.js";
import type { Environment } from "./settings.js";

/** `claw-chat db`: what an operator does with a hub's database file. */
export function dbCommand(env: Environment): Command {
  const command = new Command("db")
    .description("Verify, back up, restore or prune the database file of a hub.")
    .usage("<command> [options]")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nThe file is named by --db, as for serve. All but restore work while a hub serves it.\n" +
        "\nExamples:\n  $ claw-chat db verify --db hub.db\n  $ claw-chat db backup hub-monday.db",
    );
  for (const one of [verifyCommand, backupCommand, restoreCommand, pruneCommand]) {
    command.addCommand(one(env));
  }
  return command;
}
