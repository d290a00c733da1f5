import { expect, test } from "vitest";
import { read, repositoryFiles } from "./sources.js";

/** The ids a document gives to its rules: `**M2** ...` at the beginning of a line or of a list item. */
function rulesIn(document: string): string[] {
  return [...document.matchAll(/^(?:[-*] )?\*\*([A-Z]\d{1,2})\*\*/gm)].map(
    (match) => match[1] ?? "",
  );
}

/** The ids that test titles begin with: `"M2, M4: a repeat ..."` names M2 and M4. */
function rulesTestedIn(source: string): string[] {
  const titles = /\(\s*["'`]((?:[A-Z]\d{1,2}(?:, |,| and | |\/)?)+):/g;
  return [...source.matchAll(titles)].flatMap((match) => match[1]?.match(/[A-Z]\d{1,2}/g) ?? []);
}

test("every rule of docs/protocol.md is named at the beginning of a test's title", () => {
  const rules = rulesIn(read("docs/protocol.md"));
  const tests = repositoryFiles().filter((file) => /^test\/.*\.test\.ts$/.test(file));
  const tested = new Set(
    tests
      .filter((file) => !file.startsWith("test/repository/"))
      .flatMap((file) => rulesTestedIn(read(file))),
  );
  expect(rules.length, "rules looked at").toBeGreaterThan(0);
  expect(tests.length, "test files looked at").toBeGreaterThan(0);
  expect(
    rules.filter((rule) => !tested.has(rule)),
    "rules without a test",
  ).toEqual([]);
});

test("no id is given to two rules", () => {
  const rules = rulesIn(read("docs/protocol.md"));
  expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([]);
});

test("ids are read out of documents and titles, and only from where they stand for a rule", () => {
  expect(rulesIn("**M2** A repeat.\n- **D1** First.\nAs **I4** says.\n")).toEqual(["M2", "D1"]);
  expect(
    rulesTestedIn(
      'test("M2, M4: a", f);\ntest.each([1])(\n  "C10: b %s", f);\ntest("says M7", f);',
    ),
  ).toEqual(["M2", "M4", "C10"]);
});
