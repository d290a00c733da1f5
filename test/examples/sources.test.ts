import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderOf } from "../../scripts/examples/built.ts";
import { LANGUAGES, type Language } from "../../scripts/examples/languages.ts";
import { repositoryFiles } from "../repository/sources.js";

/** A side that needs more lines is no example any more. */
const FEWER_THAN = 80;

/** Imports, in any of the languages: their tools write them. */
const IMPORTS = /^(?:import \([^)]*\)|(?:import|from|package) .*|use [^;]*;)$/gm;
/** Lines of nothing but a comment; a docstring of one line is one. */
const COMMENT = /^(?:#(?![![])|\/\/|\/?\*|"""[^"]*"""$)/;

/** The lines that say something: neither blank, comments, imports nor closing brackets alone. */
function linesOfCode(text: string): number {
  const lines = text.replace(IMPORTS, "").split("\n");
  return lines.filter((line) => /\w/.test(line) && !COMMENT.test(line.trim())).length;
}

function readSource(language: Language, file: string): string {
  return readFileSync(join(folderOf(language), file), "utf8");
}

describe.each(LANGUAGES)("$name", (language) => {
  test.each(Object.entries(language.sources))(
    `%s: fewer than ${FEWER_THAN} lines`,
    (_side, files) => {
      const counts = files.map((file) => linesOfCode(readSource(language, file)));
      expect(Math.min(...counts), "lines looked at in each file").toBeGreaterThan(0);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThan(FEWER_THAN);
    },
  );

  test("every source file that is committed is counted", () => {
    const folder = `examples/${language.folder}/`;
    const code = repositoryFiles()
      .filter((file) => file.startsWith(folder) && /\.(?:py|go|java|rs)$/.test(file))
      .map((file) => file.slice(folder.length))
      .filter((file) => file !== "build.rs");
    expect(code).toEqual([...new Set(Object.values(language.sources).flat())].toSorted());
  });

  test("its README has the commands that build and start it", () => {
    const readme = readSource(language, "README.md");
    for (const command of [...language.build, language.provider.join(" ")]) {
      expect(readme).toContain(`\n${command}\n`);
    }
    expect(readme).toContain(`\`${language.consumer.join(" ")} Beijing Harbin\``);
  });
});

test("comments, blank lines, imports and closing brackets are not counted, code is", () => {
  const comments = ["# a", "", "  // b", "/** c", " * d", " */", '"""e"""'];
  const imports = [
    "package p",
    "import (",
    '  "x"',
    ")",
    "from y import z",
    "use q::{",
    "  r,",
    "};",
  ];
  const code = ["#[f]", "g(); // h", "if i {", "});", "  }"];
  expect(linesOfCode([...comments, ...imports, ...code].join("\n"))).toBe(3);
});
