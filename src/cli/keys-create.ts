import { Argument, type Command, Option } from "commander";
import type { Role } from "../hub/credentials.js";
import { isValidPattern, PATTERN_RULE } from "../protocol/pattern.js";
import { as, newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { addKey, noteKey, printNewKey } from "./key-file.js";
import { text, upcoming } from "./setting-kinds.js";
import type { Environment } from "./settings.js";

interface CreateFlags {
  role: Role;
  expires?: number;
  label?: string;
}

const FIRST_KEY =
  "A hub that runs on this database without credentials asks for them once it is started again.";

/** `claw-chat keys create`: makes an API key. */
export function createCommand(env: Environment): Command {
  const command = newCommand({
    name: "create",
    summary: "Make an API key and print it. It is shown this once.",
    settings: DB_SETTINGS,
    examples: [
      "keys create weather-provider",
      "keys create 'weather-*' --expires 90d --label 'weather team'",
      "keys create operator --role admin --db /var/lib/claw-chat/hub.db",
      "keys create alice > alice.key",
    ],
    notes:
      "The key is good at once, also on a running hub. Agents send it as\n" +
      "`authorization: Bearer KEY`; the commands here read it from CLAW_API_KEY.",
  })
    .addArgument(
      new Argument("<agents>", `whom it stands for: ${PATTERN_RULE}`).argParser(as(pattern())),
    )
    .addOption(
      new Option("--role <role>", "an admin also sees and ends the chats of others")
        .choices(["agent", "admin"])
        .default("agent" satisfies Role),
    )
    .option(
      "--expires <when>",
      "a date (UTC), or so far ahead: 90d, 12h; default never",
      as(upcoming(Date.now())),
    )
    .option("--label <text>", "words for `keys list`", as(text("text")));
  return settingsAction<(typeof DB_SETTINGS)[number], CreateFlags>(
    command,
    env,
    DB_SETTINGS,
    async ({ settings, options, words: [agents = ""] }) => {
      const path = databaseFile(settings.db);
      const { role, expires: expiresAtMs = 0, label = "" } = options;
      const { administer } = await import("../store/sqlite/administer.js");
      const createdAtMs = Date.now();
      const made = await onDatabase(() =>
        administer({ path, mode: "write" }, (rows) => {
          const isFirst = rows.keys().length === 0;
          const key = addKey(rows, { pattern: agents, role, label, createdAtMs, expiresAtMs });
          const detail = `key ${key.record.keyId}, ${role}`;
          noteKey(rows, { atMs: createdAtMs, event: "key_created", key: key.record, detail });
          return { ...key, notes: isFirst ? [FIRST_KEY] : [] };
        }),
      );
      await printNewKey(settings, made);
      return EXIT.ok;
    },
  );
}

function pattern() {
  const kind = text("agents", undefined, PATTERN_RULE);
  return { ...kind, fromText: (value: string) => (isValidPattern(value) ? value : undefined) };
}
