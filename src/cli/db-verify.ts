import { resolve } from "node:path";
import type { Command } from "commander";
import { newCommand, settingsAction } from "./command.js";
import { countText, DB_SETTINGS, databaseFile, onDatabase, sizeText } from "./database-file.js";
import { EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import type { Environment } from "./settings.js";

/** Violations that are printed; a database with more is beyond repair anyway. */
const SHOWN = 100;

/** `claw-chat db verify`: holds a database against what must be true of it. */
export function verifyCommand(env: Environment): Command {
  const command = newCommand({
    name: "verify",
    summary: "Read a whole database and say what is wrong with it. Changes nothing.",
    settings: DB_SETTINGS,
    examples: ["db verify", "db verify --db hub-monday.db --json"],
    notes:
      "Looks at the integrity of the file, and whether each channel is what its entries make\n" +
      "of it. Exit code 1 where anything is wrong. Works beside a running hub, and on a backup.",
  });
  return settingsAction(command, env, DB_SETTINGS, async ({ settings }) => {
    const db = databaseFile(settings.db);
    const { verifyDatabase } = await import("../store/sqlite/verify.js");
    const violations: string[] = [];
    const result = await onDatabase(async () =>
      verifyDatabase(db, (violation) => {
        if (violations.length < SHOWN) violations.push(violation);
      }),
    );
    const { pages, bytes, channels, entries, services, epoch } = result;
    if (settings.json) {
      await printJson({ db: resolve(db), ...result, found: violations });
    } else {
      for (const violation of violations) await print(`violation: ${printable(violation)}`);
      if (result.violations > SHOWN) await print(`and ${result.violations - SHOWN} more`);
      await print(
        `${printable(resolve(db))}: looked at ${countText(pages, "page")} (${sizeText(bytes)}), ` +
          `${countText(channels, "channel")}, ${countText(entries, "entry", "entries")} and ` +
          `${countText(services, "service")} of epoch ${printable(epoch) || "(none)"}: ` +
          `${result.violations === 0 ? "all is well" : countText(result.violations, "violation")}`,
      );
    }
    return result.violations === 0 ? EXIT.ok : EXIT.failed;
  });
}
