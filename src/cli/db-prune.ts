import { resolve } from "node:path";
import type { Command } from "commander";
import { as, newCommand, settingsAction } from "./command.js";
import { countText, DB_SETTINGS, databaseFile, onDatabase, sizeText } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { moment } from "./setting-kinds.js";
import type { Environment } from "./settings.js";

interface PruneFlags {
  endedBefore: number;
  keepUnread?: true;
  dryRun?: true;
}

/** `claw-chat db prune`: removes chats that ended long ago. */
export function pruneCommand(env: Environment): Command {
  const command = newCommand({
    name: "prune",
    summary: "Remove chats that were rejected or ended before a moment, with their messages.",
    settings: DB_SETTINGS,
    examples: ["db prune --ended-before 30d --dry-run", "db prune --ended-before 2026-11-01"],
    notes:
      "Works beside a running hub. Whole chats only: their history is gone, and so are their\n" +
      "message ids. The file keeps its size, and the hub uses the room again.",
  })
    .requiredOption(
      "--ended-before <when>",
      "a date (UTC), or so long ago: 30d, 12h",
      as(moment(Date.now())),
    )
    .option("--keep-unread", "not those in which a member has something to read")
    .option("--dry-run", "only count");
  return settingsAction<(typeof DB_SETTINGS)[number], PruneFlags>(
    command,
    env,
    DB_SETTINGS,
    async ({ settings, options }) => {
      const path = databaseFile(settings.db);
      const { endedBefore: endedBeforeMs, keepUnread = false, dryRun = false } = options;
      const { pruneEnded } = await import("../store/sqlite/prune.js");
      const result = await onDatabase(() =>
        pruneEnded({ path, endedBeforeMs, keepUnread, dryRun }),
      );
      const endedBefore = new Date(endedBeforeMs);
      if (settings.json) {
        await printJson({ db: resolve(path), endedBefore, dryRun, ...result });
        return EXIT.ok;
      }
      const { channels, entries, bytes, unread } = result;
      await print(
        `${dryRun ? "would remove" : "removed"} ${countText(channels, "channel")} that ended ` +
          `before ${endedBefore.toISOString()}, with ${countText(entries, "entry", "entries")} ` +
          `of ${sizeText(bytes)}; a member had something to read in ${unread} of them`,
      );
      return EXIT.ok;
    },
  );
}
