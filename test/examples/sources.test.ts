import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderOf } from "../../scripts/examples/built.ts";
import { LANGUAGES, type Language } from "../../scripts/examples/languages.ts";

/** A side that needs more lines is no example any more. */
const FEWER_THAN = 80;

/** Lines of nothing but a comment, in any of the languages; a docstring of one line is one. */
const COMMENT = /^(?:#(?![![])|\/\/|\/?\*|"""[^"]*"""$)/;

/** The lines of code in a text: neither blank nor a comment. */
function linesOfCode(text: string): number {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !COMMENT.test(line)).length;
}

function readSource(language: Language, file: string): string {
  return readFileSync(join(folderOf(language), file), "utf8");
}

describe.each(LANGUAGES)("$name", (language) => {
  test.each(["provider", "consumer"] as const)(
    `the %s has fewer than ${FEWER_THAN} lines`,
    (side) => {
      const counts = language.sources[side].map((file) => linesOfCode(readSource(language, file)));
      const total = counts.reduce((sum, count) => sum + count, 0);
      expect(Math.min(...counts), "lines looked at in each file").toBeGreaterThan(0);
      expect(total).toBeLessThan(FEWER_THAN);
    },
  );

  test("its README has the commands that build and start it", () => {
    const readme = readSource(language, "README.md");
    for (const command of [...language.build, language.provider.join(" ")]) {
      expect(readme).toContain(`\n${command}\n`);
    }
    expect(readme).toContain(`\`${language.consumer.join(" ")} Beijing Harbin\``);
  });
});

test("comments and blank lines are not counted, code is", () => {
  const text = ["# a", "", "  // b", "/** c", " * d", " */", '"""e"""', "#[f]", "g(); // h"].join(
    "\n",
  );
  expect(linesOfCode(text)).toBe(2);
});
