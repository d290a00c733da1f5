import type { Database } from "better-sqlite3";
import { MIGRATION_1 } from "./migration-1.js";
import { MIGRATION_2 } from "./migration-2.js";
import { MIGRATION_3 } from "./migration-3.js";
import { StoreOpenError } from "./store-open-error.js";

/** Tells our files from other programs' (https://www.sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x436c4368;

/** The n-th script leads from schema version n - 1 to n; a file's version is its user_version. */
export const MIGRATIONS: readonly string[] = [MIGRATION_1, MIGRATION_2, MIGRATION_3];

/** A file's schema version; 0 for a new one. */
export function schemaVersion(db: Database): number {
  return Number(db.pragma("user_version", { simple: true }));
}

/** The sentence for a file that a newer hub has written. */
export function newerVersion(path: string, version: number, known: number): StoreOpenError {
  return new StoreOpenError(
    `${path} was written by a newer hub: its schema has version ${version} and this hub knows ` +
      `versions up to ${known}. It was left as it is; run the newer hub, or name another file`,
  );
}

/**
 * Brings a database to the newest schema, one transaction for each version. An
 * older file that holds something is first copied to `<path>.v<its version>.bak`,
 * in place of an earlier copy of that name.
 * @throws StoreOpenError when another process has taken the file to a newer version meanwhile
 */
export async function migrate(
  db: Database,
  path: string,
  migrations: readonly string[] = MIGRATIONS,
): Promise<void> {
  const before = schemaVersion(db);
  if (before > 0 && before < migrations.length) await db.backup(`${path}.v${before}.bak`);
  for (;;) {
    const version = schemaVersion(db);
    if (version > migrations.length) throw newerVersion(path, version, migrations.length);
    const script = migrations[version];
    if (script === undefined) return;
    // Immediate: two processes that open a new file together create it once.
    db.transaction(() => {
      if (schemaVersion(db) !== version) return;
      db.exec(script);
      // failpoint: in-migration
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${version + 1}`);
    }).immediate();
    // failpoint: between-migrations
  }
}
