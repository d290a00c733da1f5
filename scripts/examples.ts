/**
 * Builds the examples in other languages, all or those that are named:
 * `node scripts/examples.ts [folder...]`. Exits with 1 where one of them could not be built.
 */
import { run } from "./check/step.ts";
import { folderOf, noteBuilt } from "./examples/built.ts";
import { LANGUAGES, type Language } from "./examples/languages.ts";

const FOLDERS = LANGUAGES.map(({ folder }) => folder);
const USAGE = `Usage: npm run examples -- [${FOLDERS.join(" | ")}]...
Builds the examples in these languages, or all of them where none is named.`;

/** Prints a line for each command, and what it said where it failed. */
async function isBuiltNow(language: Language): Promise<boolean> {
  const startedAt = performance.now();
  const say = (line: string) => console.log(`${language.folder}: ${line}`);
  const here = await run("sh", ["-c", language.needs], folderOf(language));
  if (!here.ok) {
    say(`NOT BUILT: it needs ${language.needed}`);
    return false;
  }
  for (const command of language.build) {
    say(command);
    const ended = await run("sh", ["-c", command], folderOf(language));
    if (ended.ok) continue;
    console.log(ended.output.trim().replace(/^/gm, "    "));
    say("NOT BUILT: the command above failed");
    return false;
  }
  noteBuilt(language);
  say(`built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return true;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !FOLDERS.includes(name));
if (asked.includes("--help") || asked.includes("-h")) {
  console.log(USAGE);
} else if (unknown.length > 0) {
  console.error(`There is no example in ${unknown.join(" or ")}.\n${USAGE}`);
  process.exitCode = 2;
} else {
  for (const language of LANGUAGES) {
    if (asked.length > 0 && !asked.includes(language.folder)) continue;
    if (!(await isBuiltNow(language))) process.exitCode = 1;
  }
}
