import { runHere } from "./cli-here.js";

/** The commands of claw-chat whose help has a flag such as `--hub`, by what the help itself says. */
export async function commandsWithFlag(flag: string): Promise<string[]> {
  const { stdout } = await runHere(["--help"]);
  const all = [...stdout.matchAll(/^ {2}([a-z]+) +\[options\]/gm)].map(([, name = ""]) => name);
  const found: string[] = [];
  for (const name of all) {
    const help = await runHere([name, "--help"]);
    if (help.stdout.includes(`  ${flag} `)) found.push(name);
  }
  return found;
}
