import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { copyRights } from "./copy-rights.js";
import { StoreOpenError } from "./store-open-error.js";
import { renameForGood, syncPath } from "./synced-files.js";

/** What belongs to a database besides its file: its log, and its rollback journal. */
const BESIDE = ["-wal", "-journal"];

/** What a database is called that was set aside, after its own name. */
const KEPT = /\.before-restore-\d{8}T\d{6}Z/;

/** Stands where the database was until the backup does: no hub takes it for a database. */
const placeholderText = (kept: string) =>
  "claw-chat db restore was interrupted here. Run it again; the database that was here before\n" +
  "lies beside this file, and its log (-wal), where it has one, beside that:\n" +
  `${basename(kept)}\n`;
const HALF_DONE = /^claw-chat db restore was interrupted here\./;
const MAX_PLACEHOLDER_BYTES = 1024;

/**
 * Puts something in a database's place that no hub opens. Before that, the database gets a second
 * name with its log and journal, so that it is whole under one of the two wherever this is cut.
 * What an interrupted call has begun is finished.
 * @param of.like the file whose rights and owner the placeholder gets
 * @returns where the database is kept; undefined where there was none
 */
export function setDatabaseAside(of: {
  path: string;
  like: string;
  nowMs: number;
}): string | undefined {
  const { path } = of;
  const kept = keptAlready(path) ?? keep(of);
  if (kept === undefined) return undefined;
  // Beside the new database, the old one's would be taken for its own.
  for (const suffix of BESIDE) {
    if (!existsSync(path + suffix)) continue;
    if (existsSync(kept + suffix)) rmSync(path + suffix);
    else renameSync(path + suffix, kept + suffix);
  }
  rmSync(`${path}-shm`, { force: true });
  syncPath(dirname(path));
  return kept;
}

/** Where the database is that an interrupted call has put a placeholder for. */
function keptAlready(path: string): string | undefined {
  if (!existsSync(path) || statSync(path).size > MAX_PLACEHOLDER_BYTES) return undefined;
  const text = readFileSync(path, "utf8");
  const [name] = (HALF_DONE.test(text) && KEPT.exec(text)) || [];
  return name && path + name;
}

function keep(of: { path: string; like: string; nowMs: number }): string | undefined {
  const { path } = of;
  dropSecondNames(path);
  const parts = ["", ...BESIDE].filter((suffix) => existsSync(path + suffix));
  if (parts.length === 0) return undefined;
  const time = new Date(of.nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const kept = `${path}.before-restore-${time}`;
  if (["", ...BESIDE].some((suffix) => existsSync(kept + suffix))) {
    throw new StoreOpenError(`${kept} is there already; try again in a second`);
  }
  const placeholder = `${path}.placeholder`;
  try {
    writeFileSync(placeholder, placeholderText(kept));
    copyRights({ from: of.like, to: placeholder });
    syncPath(placeholder);
    for (const suffix of parts) linkSync(path + suffix, kept + suffix);
    syncPath(dirname(path));
    renameForGood(placeholder, path);
  } catch (error) {
    rmSync(placeholder, { force: true });
    dropSecondNames(path);
    throw error;
  }
  return kept;
}

/**
 * Removes the second names that a cut has left of a database which still has its own: a hub may
 * have written to it since, and the log beside the second name would be read into it.
 */
function dropSecondNames(path: string): void {
  if (!existsSync(path)) return;
  const own = statSync(path, { bigint: true });
  for (const name of readdirSync(dirname(path))) {
    const [suffix] = KEPT.exec(name) ?? [];
    if (suffix === undefined || name !== basename(path) + suffix) continue;
    const second = statSync(path + suffix, { bigint: true });
    if (second.dev !== own.dev || second.ino !== own.ino) continue;
    // The file itself last: it is how the others are found.
    for (const end of [...BESIDE, ""]) rmSync(path + suffix + end, { force: true });
  }
}
