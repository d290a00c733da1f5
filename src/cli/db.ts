import { Command } from "commander";
import { backupCommand } from "./db-backup.js";
import { declareLostCommand } from "./db-declare-lost.js";
import { pruneCommand } from "./db-prune.js";
import { restoreCommand } from "./db-restore.js";
import { verifyCommand } from "./db-verify.js";
import type { Environment } from "./settings.js";

/** `claw-chat db`: what an operator does with a hub's database file. */
export function dbCommand(env: Environment): Command {
  const command = new Command("db")
    .description("Verify, back up, restore, prune or declare lost the database file of a hub.")
    .usage("<command> [options]")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nThe file is named by --db, as for serve. All but restore and\n" +
        "declare-lost work while a hub serves it.\n" +
        "\nExamples:\n  $ claw-chat db verify --db hub.db\n  $ claw-chat db backup hub-monday.db",
    );
  const commands = [verifyCommand, backupCommand, restoreCommand, pruneCommand, declareLostCommand];
  for (const one of commands) command.addCommand(one(env));
  return command;
}
