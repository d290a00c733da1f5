import type { Mutant } from "./mutant.ts";

/** Bugs in what the store does when the disk or the operator gets in its way (G1, G6, G12, G13). */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "failed-sync-survived",
    what: "goes on after a sync that failed",
    edits: [
      {
        file: "store/sqlite/engine-errors.ts",
        find: "if (FATAL.test(code))",
        replace: 'if (code === "")',
      },
    ],
    caughtBy: "storage",
    words: ["--only", "io-errors"],
    beside: true,
    figures: ["broken"],
  },
  {
    name: "failed-copy-overlooked",
    what: "goes on after a copy of the log whose sync failed",
    edits: [
      {
        file: "store/sqlite/log-copier.ts",
        find: "throw new Database.SqliteError(answer.message, answer.code);",
        replace: "return 0;",
      },
    ],
    caughtBy: "storage",
    words: ["--only", "io-errors"],
    beside: true,
    figures: ["broken"],
  },
  {
    name: "failed-copy-repeated",
    what: "copies the log once more, over the main connection, where a sync has failed in the thread",
    edits: [
      {
        file: "store/sqlite/log-size.ts",
        find: "return bytesOf(await copyPages());",
        replace: 'return await copyPages().then(bytesOf, () => checkpoint("PASSIVE"));',
      },
    ],
    caughtBy: "storage",
    words: ["--only", "io-errors"],
    beside: true,
    figures: ["broken"],
  },
  {
    name: "last-copy-unchecked",
    what: "lets SQLite copy the log when it closes the database, and keep a failed sync to itself",
    edits: [{ file: "store/sqlite/sqlite-store.ts", find: "log.copyAtLast();", replace: "" }],
    caughtBy: "storage",
    words: ["--only", "stopped-in-copy"],
    beside: true,
    figures: ["broken"],
  },
  {
    name: "full-disk-unnoticed",
    what: "gives receipts although the disk was full when it committed",
    edits: [
      {
        file: "store/sqlite/sqlite-store.ts",
        find: 'control("COMMIT", "commit a transaction");',
        replace:
          'try { control("COMMIT", "commit a transaction"); }' +
          ' catch (error) { if (error.kind !== "full") throw error; }',
      },
    ],
    caughtBy: "storage",
    words: ["--only", "disk-full"],
    figures: ["broken"],
  },
  {
    name: "log-unbounded",
    what: "lets the write-ahead log grow for as long as a reader holds it",
    edits: [
      {
        file: "store/sqlite/log-size.ts",
        find: "checkRoom() {",
        replace: "checkRoom() { if (maxLogBytes > 0) return;",
      },
    ],
    caughtBy: "storage",
    words: ["--only", "long-reader"],
    figures: ["broken"],
  },
  {
    name: "damage-overlooked",
    what: "serves a database whatever SQLite finds damaged about it",
    edits: [
      {
        file: "store/sqlite/file-checks.ts",
        find: 'if (found !== "ok")',
        replace: 'if (found === "")',
      },
    ],
    caughtBy: "storage",
    words: ["--only", "byte-flips"],
    figures: ["broken"],
  },
  {
    name: "no-writing-no-reading",
    what: "refuses to read as well while nothing can be written",
    edits: [
      {
        file: "server/turns.ts",
        find: "if (readOnly === undefined && error.kind",
        replace: 'if (error.kind === "" && error.kind',
      },
    ],
    caughtBy: "storage",
    words: ["--only", "locked"],
    figures: ["broken"],
  },
  {
    name: "migration-in-parts",
    what: "brings an older database to the newest schema statement by statement, in no transaction",
    edits: [
      {
        file: "store/sqlite/migrations.ts",
        find: "db.transaction(() => {",
        replace: "((immediate) => ({ immediate }))(() => {",
      },
    ],
    caughtBy: "failpoints",
    words: ["--only", "in-migration"],
    figures: ["lost"],
  },
  {
    name: "copy-not-synced",
    what: "starts the log over before the database file that it was copied into is synced",
    edits: [
      {
        file: "store/sqlite/copy-log.ts",
        find: 'db.pragma("synchronous = FULL");',
        replace: 'db.pragma("synchronous = OFF");',
      },
    ],
    caughtBy: "power-loss",
    words: ["--only", "checkpoint"],
    figures: ["lost", "damaged", "gaps", "unopened"],
  },
  {
    name: "cut-creation-refused",
    what: "takes a database that a power loss left half created for a damaged one",
    edits: [
      {
        file: "store/sqlite/file-checks.ts",
        find: "!isOurs(header) && creationWasCut(path)",
        replace: "false",
      },
    ],
    caughtBy: "power-loss",
    words: ["--only", "creation"],
    figures: ["unopened"],
  },
  {
    name: "epoch-kept-by-restore",
    what: "restores a backup under the epoch it had",
    edits: [
      {
        file: "store/sqlite/restore.ts",
        find: "copy.prepare(\"UPDATE meta SET value = ? WHERE name = 'epoch'\").run(epoch);",
        replace: "",
      },
    ],
    caughtBy: "storage",
    words: ["--only", "backup-under-load"],
    beside: true,
    figures: ["broken"],
  },
];
