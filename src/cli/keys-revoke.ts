import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { keyIdOf, keyOf, noteKey } from "./key-file.js";
import { keyView } from "./key-view.js";
import { print, printJson } from "./output.js";
import type { Environment } from "./settings.js";

/** `claw-chat keys revoke`: ends a key. */
export function revokeCommand(env: Environment): Command {
  const command = newCommand({
    name: "revoke",
    summary: "Make an API key worthless, for good. Sessions that it opened end within a second.",
    settings: DB_SETTINGS,
    examples: ["keys revoke 0123456789abcdef"],
    notes: "Done already is done: it says so and changes nothing.",
  }).argument("<key-id>", "the 16 hex digits after claw_, as `keys list` shows them");
  return settingsAction(command, env, DB_SETTINGS, async ({ settings, words: [word = ""] }) => {
    const path = databaseFile(settings.db);
    const keyId = keyIdOf(word);
    const { administer } = await import("../store/sqlite/administer.js");
    const atMs = Date.now();
    const { key, changed } = await onDatabase(() =>
      administer({ path, mode: "write" }, (rows) => {
        const before = keyOf(rows, keyId);
        if (before.revokedAtMs !== 0) return { key: before, changed: false };
        const revoked = { ...before, revokedAtMs: atMs };
        rows.putKey(revoked);
        noteKey(rows, { atMs, event: "key_revoked", key: revoked, detail: `key ${keyId}` });
        return { key: revoked, changed: true };
      }),
    );
    if (settings.json) await printJson({ ...keyView(key, atMs), changed });
    else await print(changed ? `revoked ${keyId}` : `${keyId} was revoked already`);
    return EXIT.ok;
  });
}
