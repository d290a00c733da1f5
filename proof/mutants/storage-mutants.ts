import type { Mutant } from "./mutant.ts";

/** Bugs in what the store does when the disk or the operator gets in its way (G6, G12, G13). */
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
    figures: ["broken"],
  },
];
