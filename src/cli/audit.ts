import { type Command, Option } from "commander";
import { AUDIT_KINDS, type AuditKind, type AuditRow } from "../hub/audit.js";
import { as, newCommand, settingsAction } from "./command.js";
import { DB_SETTINGS, databaseFile, onDatabase } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson, printTable } from "./output.js";
import { moment, number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";

interface AuditFlags {
  since?: number;
  event?: AuditKind;
  before?: number;
  limit: number;
}

const HEADINGS = ["ID", "TIME", "EVENT", "ACTOR", "AGENT", "CHANNEL", "ADDRESS", "DETAIL"];
const wholeNumber = (most: number) => number({ placeholder: "n", least: 1, most, whole: true });

/** `claw-chat audit`: reads the audit log. */
export function auditCommand(env: Environment): Command {
  const command = newCommand({
    name: "audit",
    summary: "Show the newest lines of the audit log, in the order in which they were written.",
    settings: DB_SETTINGS,
    examples: [
      "audit --limit 20",
      "audit --event login_refused --since 1d",
      "audit --db /var/lib/claw-chat/hub.db --json",
    ],
    notes:
      "Keys made and revoked, logins and access refused, and what admins read and ended. Lines\n" +
      "are never changed or removed; refusals come within a second or two. Works beside a hub.",
  })
    .option("--since <when>", "a date (UTC), or so long ago: 30d, 12h", as(moment(Date.now())))
    .addOption(new Option("--event <event>", "only these").choices(AUDIT_KINDS))
    .option("--before <id>", "only lines with a smaller id", as(wholeNumber(2 ** 53 - 1)))
    .option("--limit <n>", "how many", as(wholeNumber(100_000)), 100);
  return settingsAction<(typeof DB_SETTINGS)[number], AuditFlags>(
    command,
    env,
    DB_SETTINGS,
    async ({ settings, options }) => {
      const path = databaseFile(settings.db);
      const { since: sinceMs, event, before: beforeId, limit } = options;
      const { administer } = await import("../store/sqlite/administer.js");
      const newest = await onDatabase(() =>
        administer({ path, mode: "read" }, (rows) =>
          rows.range({ sinceMs, event, beforeId, limit }),
        ),
      );
      const lines = newest.toReversed();
      if (settings.json) for (const line of lines) await printJson(timed(line));
      else if (lines.length === 0) await print("There are no such lines.");
      else await printTable(HEADINGS, lines.map(cellsOf));
      return EXIT.ok;
    },
  );
}

function timed({ atMs, ...line }: AuditRow): object {
  return { ...line, at: new Date(atMs) };
}

function cellsOf({ id, atMs, event, actor, agentId, channelId, address, detail }: AuditRow) {
  const time = new Date(atMs).toISOString();
  return [String(id), time, event, actor, agentId, channelId, address, detail];
}
