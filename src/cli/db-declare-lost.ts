import { resolve } from "node:path";
import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import type { Environment } from "./settings.js";

/** `claw-chat db declare-lost`: tells clients that the log is not the one they know. */
export function declareLostCommand(env: Environment): Command {
  const command = newCommand({
    name: "declare-lost",
    summary: "Say that a log is not the one its clients know, while no hub runs on it.",
    settings: DB_SETTINGS,
    examples: ["db declare-lost", "db declare-lost --db hub.db --json"],
    notes:
      "For a database that was copied back by hand, or has lost entries in another way; restore\n" +
      "does it by itself. The database gets a new epoch: when clients connect again, they forget\n" +
      "their positions and which entries they have had. What is stored stays as it is, and each\n" +
      "agent is sent what lies after the position that is stored for it.",
  });
  return settingsAction(command, env, DB_SETTINGS, async ({ settings }) => {
    const path = databaseFile(settings.db);
    const { declareLost } = await import("../store/sqlite/declare-lost.js");
    const { epoch, before } = await onDatabase(async () => declareLost({ path }));
    if (settings.json) {
      await printJson({ db: resolve(path), epoch, epochBefore: before ?? "" });
      return EXIT.ok;
    }
    await print(
      `${printable(path)} is epoch ${epoch} now, and was ${printable(before ?? "") || "(none)"}`,
    );
    await print("clients that connect forget their positions and which entries they have had");
    return EXIT.ok;
  });
}
