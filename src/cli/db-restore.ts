import { resolve } from "node:path";
import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { countText, DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import type { Environment } from "./settings.js";

/** `claw-chat db restore`: puts a backup in a database's place. */
export function restoreCommand(env: Environment): Command {
  const command = newCommand({
    name: "restore",
    summary: "Put a copy of a backup in the database's place, while no hub runs on it.",
    settings: DB_SETTINGS,
    examples: ["db restore hub-monday.db", "db restore --db hub.db hub-monday.db"],
    notes:
      "The backup is verified first. The database that was there is kept beside it. The\n" +
      "restored one has a new epoch, so that clients forget what they knew of the other.\n" +
      "Nothing else may have the old database open.",
  }).argument("<backup>", "a file that `claw-chat db backup` wrote");
  return settingsAction(command, env, DB_SETTINGS, async ({ settings, words: [backup = ""] }) => {
    const path = databaseFile(settings.db);
    const { restoreBackup } = await import("../store/sqlite/restore.js");
    const { verified, epoch, kept } = await onDatabase(() =>
      restoreBackup({ backup, path, nowMs: Date.now() }),
    );
    const { channels, entries } = verified;
    if (settings.json) {
      await printJson({ db: resolve(path), channels, entries, epoch, kept: kept ?? "" });
      return EXIT.ok;
    }
    await print(
      `restored ${countText(channels, "channel")} with ${countText(entries, "entry", "entries")} ` +
        `to ${printable(path)}, as epoch ${epoch}`,
    );
    if (kept !== undefined) await print(`what was there before is kept: ${printable(kept)}`);
    return EXIT.ok;
  });
}
