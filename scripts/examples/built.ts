import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../check/step.ts";
import type { Language } from "./languages.ts";

/** The folder of an example. */
export function folderOf({ folder }: Language): string {
  return join(root, "examples", folder);
}

/** Whether an example is built, and from its sources as they are now. */
export function isBuilt(language: Language): boolean {
  const note = noteOf(language);
  return existsSync(note) && readFileSync(note, "utf8") === sourcesOf(language);
}

/** Notes that an example is built from its sources as they are now. */
export function noteBuilt(language: Language): void {
  writeFileSync(noteOf(language), sourcesOf(language));
}

/** Lies in the example's folder, ignored by git. */
function noteOf(language: Language): string {
  return join(folderOf(language), ".built");
}

/** A hash of what an example is built from: its files, the contract, and the commands. */
function sourcesOf(language: Language): string {
  const hash = createHash("sha256").update(JSON.stringify(language));
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "proto"].concat(
      `examples/${language.folder}`,
    ),
    { cwd: root, encoding: "utf8" },
  );
  for (const file of listed.split("\0").sort()) {
    if (file === "" || file.endsWith(".md") || !existsSync(join(root, file))) continue;
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}
