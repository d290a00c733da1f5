import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { keyView } from "./key-view.js";
import { print, printJson, printTable } from "./output.js";
import type { Environment } from "./settings.js";

const HEADINGS = ["KEY ID", "AGENTS", "ROLE", "STATE", "CREATED", "EXPIRES", "LABEL"];

/** `claw-chat keys list`: shows all keys that were ever made, without their secrets. */
export function listCommand(env: Environment): Command {
  const command = newCommand({
    name: "list",
    summary: "Show every API key that was made, the oldest first. No secrets are kept.",
    settings: DB_SETTINGS,
    examples: ["keys list", "keys list --db /var/lib/claw-chat/hub.db --json"],
  });
  return settingsAction(command, env, DB_SETTINGS, async ({ settings }) => {
    const path = databaseFile(settings.db);
    const { administer } = await import("../store/sqlite/administer.js");
    const keys = await onDatabase(() => administer({ path, mode: "read" }, (rows) => rows.keys()));
    const views = keys.map((key) => keyView(key, Date.now()));
    if (settings.json) {
      for (const view of views) await printJson(view);
    } else if (views.length === 0) {
      await print("There are no keys.");
    } else {
      const rows = views.map(({ keyId, agents, role, state, createdAt, expiresAt, label }) => [
        ...[keyId, agents, role, state, createdAt.toISOString()],
        ...[expiresAt?.toISOString() ?? "never", label],
      ]);
      await printTable(HEADINGS, rows);
    }
    return EXIT.ok;
  });
}
