import { test } from "vitest";
import { folderOf, isBuilt } from "../../scripts/examples/built.ts";
import type { Language } from "../../scripts/examples/languages.ts";
import { type CliProcess, startProgram } from "../support/cli.js";

/**
 * Defines a test of an example, run beside the others. Where the example is not built as it stands
 * it is skipped and says so in its title; on a continuous-integration machine it fails.
 */
export function exampleTest(language: Language, title: string, run: () => Promise<void>): void {
  const full = `${language.name}: ${title}`;
  const lacking = `not built as it stands: npm run examples -- ${language.folder}`;
  if (isBuilt(language)) test.concurrent(full, run);
  else if (process.env.CI === undefined) test.skip(`${full} (${lacking})`, () => {});
  else {
    test(full, () => {
      throw new Error(lacking);
    });
  }
}

/** Starts one side of an example against a hub. */
export function startSide(
  language: Language,
  side: "provider" | "consumer",
  address: string,
  cities: string[] = [],
): CliProcess {
  const [program = "", ...args] = language[side];
  return startProgram(program, [...args, ...cities], {
    cwd: folderOf(language),
    env: { CLAW_HUB: address },
  });
}
