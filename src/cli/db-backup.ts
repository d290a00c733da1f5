import { resolve } from "node:path";
import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase, sizeText } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import type { Environment } from "./settings.js";

/** `claw-chat db backup`: copies the database of a hub that may be running. */
export function backupCommand(env: Environment): Command {
  const command = newCommand({
    name: "backup",
    summary: "Copy a database into one file, while its hub runs.",
    settings: DB_SETTINGS,
    examples: ["db backup hub-monday.db", "db backup --db hub.db --force latest.db"],
    notes:
      "The copy is the database at one moment, checked and synced before it gets its name.\n" +
      "The hub's log grows until the copy is done, at most to 1 GiB.",
  })
    .argument("<file>", "where to")
    .option("--force", "replace a file that is there");
  return settingsAction<(typeof DB_SETTINGS)[number], { force?: true }>(
    command,
    env,
    DB_SETTINGS,
    async ({ settings, options, words: [file = ""] }) => {
      const from = databaseFile(settings.db);
      const { backUp } = await import("../store/sqlite/backup.js");
      const force = options.force === true;
      const { bytes } = await onDatabase(() => backUp({ from, to: file, force }));
      if (settings.json) await printJson({ db: resolve(from), backup: resolve(file), bytes });
      else await print(`backed up ${printable(from)} to ${printable(file)}, ${sizeText(bytes)}`);
      return EXIT.ok;
    },
  );
}
