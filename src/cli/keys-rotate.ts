import type { Command } from "commander";
import type { KeyRecord } from "../hub/credentials.js";
import { as, newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { CommandError, EXIT } from "./exit.js";
import { addKey, keyIdOf, keyOf, noteKey, printNewKey } from "./key-file.js";
import { period, upcoming } from "./setting-kinds.js";
import type { Environment } from "./settings.js";

interface RotateFlags {
  overlap: number;
  expires?: number;
}

const DAY_MS = 86_400_000;

/** `claw-chat keys rotate`: replaces a key by a new one, with time to change over. */
export function rotateCommand(env: Environment): Command {
  const command = newCommand({
    name: "rotate",
    summary: "Make a new API key in the place of another one, which ends some time later.",
    settings: DB_SETTINGS,
    examples: [
      "keys rotate 0123456789abcdef",
      "keys rotate 0123456789abcdef --overlap 7d --expires 90d",
      "keys rotate 0123456789abcdef --overlap 0h",
    ],
    notes:
      "Both are good until the old one ends. The new one stands for the same agents, and lasts\n" +
      "as long as the old one was made to, unless --expires says otherwise.",
  })
    .argument("<key-id>", "the 16 hex digits after claw_ of the old key")
    .option(
      "--overlap <time>",
      "how long the old key stays good: 7d, 12h; 0h revokes it at once",
      as(period()),
      DAY_MS,
    )
    .option(
      "--expires <when>",
      "when the new key ends: a date (UTC), or so far ahead: 90d, 12h",
      as(upcoming(Date.now())),
    );
  return settingsAction<(typeof DB_SETTINGS)[number], RotateFlags>(
    command,
    env,
    DB_SETTINGS,
    async ({ settings, options, words: [word = ""] }) => {
      const path = databaseFile(settings.db);
      const keyId = keyIdOf(word);
      const { administer } = await import("../store/sqlite/administer.js");
      const atMs = Date.now();
      const made = await onDatabase(() =>
        administer({ path, mode: "write" }, (rows) => {
          const old = keyOf(rows, keyId);
          if (old.revokedAtMs !== 0) throw new CommandError(REVOKED, EXIT.failed);
          const ending = endedAfter(old, options.overlap, atMs);
          const { pattern, role, label } = old;
          const expiresAtMs = options.expires ?? sameLifetime(old, atMs);
          const key = addKey(rows, { pattern, role, label, createdAtMs: atMs, expiresAtMs });
          rows.putKey(ending);
          const end = endText(ending);
          const detail = `key ${key.record.keyId} for ${keyId}, which ${end}`;
          noteKey(rows, { atMs, event: "key_rotated", key: key.record, detail });
          return { ...key, notes: [`The old one, ${keyId}, ${end}.`] };
        }),
      );
      await printNewKey(settings, made);
      return EXIT.ok;
    },
  );
}

const REVOKED = "the key was revoked; make another one with `claw-chat keys create`";

function endedAfter(key: KeyRecord, overlapMs: number, nowMs: number): KeyRecord {
  if (overlapMs === 0) return { ...key, revokedAtMs: nowMs };
  const endMs = nowMs + overlapMs;
  return { ...key, expiresAtMs: key.expiresAtMs === 0 ? endMs : Math.min(key.expiresAtMs, endMs) };
}

function sameLifetime({ createdAtMs, expiresAtMs }: KeyRecord, nowMs: number): number {
  return expiresAtMs === 0 ? 0 : nowMs + (expiresAtMs - createdAtMs);
}

function endText({ revokedAtMs, expiresAtMs }: KeyRecord): string {
  return revokedAtMs === 0 ? `ends ${new Date(expiresAtMs).toISOString()}` : "is revoked";
}
