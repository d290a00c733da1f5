import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { check, type Findings } from "./check.ts";
import { gatherEvidence } from "./evidence.ts";

/** The hub's file in the folder of a run. */
export const DB_NAME = "hub.db";

/** The journal of a process of clients. */
export function journalName(process: number): string {
  return `journal-${process}.jsonl`;
}

/** Compares the journals in a folder with the hub's file beside them, which no hub may have open. */
export async function checkFolder(folder: string): Promise<Findings> {
  const names = await readdir(folder);
  const journals = names.filter((name) => /^journal-\d+\.jsonl$/.test(name)).sort();
  const scratch = join(folder, "evidence.db");
  await rm(scratch, { force: true });
  const evidence = await gatherEvidence({
    journals: journals.map((name) => join(folder, name)),
    db: join(folder, DB_NAME),
    scratch,
  });
  try {
    return check(evidence);
  } finally {
    evidence.close();
  }
}
