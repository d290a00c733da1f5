import { join } from "node:path";
import { expect, test } from "vitest";
import { judgeClient } from "../../conformance/client/judge.ts";
import { judgeAll } from "../../conformance/client/judge-all.ts";
import { judgedAs, ownCommand, ROLES, type Role } from "../../conformance/client/roles.ts";
import { loadScenarios } from "../../conformance/client/scenario.ts";
import { MUTANTS } from "../../proof/mutants/mutants.ts";
import { folderOf } from "../../scripts/examples/built.ts";
import { LANGUAGES } from "../../scripts/examples/languages.ts";
import { exampleTest } from "../examples/example.js";
import { runProgram } from "../proof/program.js";
import { read } from "../repository/sources.js";

const PROGRAM = "conformance/client/main.ts";
const scenarios = loadScenarios();

/** A program that is no client: it reads its instructions, and that is all. */
const DEAF = [process.execPath, "-e", "process.stdin.resume()"];

const SIDES = ["provider", "consumer"] as const;

async function expectToPass(role: Role, command: readonly string[]): Promise<void> {
  const scenarios = judgedAs(role);
  expect(scenarios.length).toBeGreaterThan(10);
  const verdicts = await judgeAll({ scenarios, command, jobs: 4 });
  expect(verdicts.filter(({ passed }) => !passed)).toEqual([]);
}

test.each(ROLES)(
  "the TypeScript client does as it must, as a %s",
  async (role) => {
    await expectToPass(role, ownCommand(role));
  },
  120_000,
);

// Java keeps to the rules as well, but a virtual machine for each scenario takes too long for a test.
for (const language of LANGUAGES.filter(({ folder }) => folder !== "java")) {
  for (const side of SIDES) {
    exampleTest(language, `the scripted hub has nothing to say against the ${side}`, async () => {
      const [program = "", ...words] = language[side];
      const inFolder = (word: string) => join(folderOf(language), word);
      await expectToPass(side, [inFolder(program), ...words.map(inFolder)]);
    });
  }
}

test("a scenario says what a client that does nothing should have done", async () => {
  const [scenario] = scenarios.filter(({ name }) => name === "receipt-lost");
  if (scenario === undefined) throw new Error("the scenario is gone");
  const verdict = await judgeClient(scenario, DEAF, 300);
  expect(verdict).toMatchObject({
    passed: false,
    sentence: expect.stringMatching(
      /^What was stored but .* But a session did not come within 0\.3 s\.$/,
    ),
  });
});

test("a client that ends by itself is told so, with what it complained of", async () => {
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error("there are no scenarios");
  const command = [process.execPath, "-e", "console.error('no idea'); process.exit(7)"];
  expect(await judgeClient(scenario, command)).toMatchObject({
    passed: false,
    sentence: expect.stringContaining("the client ended by itself, with exit code 7"),
    complaints: "no idea",
  });
});

test("every scenario has a seeded bug of the client that it must notice", () => {
  const noticed = MUTANTS.filter(({ caughtBy }) => caughtBy === "judge-client").map(
    ({ words = [] }) => words.filter((word) => !word.startsWith("--")),
  );
  const isSide = (word: string | undefined) => SIDES.some((side) => side === word);
  const byPrograms = noticed.filter(([side]) => isSide(side)).flatMap(([, ...names]) => names);
  const byDrivers = noticed.filter(([side]) => !isSide(side)).flat();
  const names = (roles: readonly Role[]) => [
    ...new Set(roles.flatMap((role) => judgedAs(role).map(({ name }) => name))),
  ];
  expect([...new Set(byDrivers)].toSorted()).toEqual(names(["driver"]).toSorted());
  expect([...new Set(byPrograms)].toSorted()).toEqual(names(SIDES).toSorted());
});

test("the command judges what it is told to, and its exit code says what came of it", async () => {
  const words = ["--only", "superseded", "--timeout", "0.3", "--", ...DEAF];
  const [failed, ...wrong] = await Promise.all([
    runProgram(PROGRAM, ...words),
    runProgram(PROGRAM, "--only", "nothing"),
    runProgram(PROGRAM, "--timeout", "soon"),
    runProgram(PROGRAM, "--", "no-such-command"),
  ]);
  expect(failed.lastLine).toBe("scenarios=1 passed=0 failed=1");
  expect(failed.code).toBe(1);
  expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2]);
});

test("docs/conformance.md describes every step, instruction and event", () => {
  const document = read("docs/conformance.md");
  const steps = read("conformance/client/steps.ts");
  const names = [...steps.matchAll(/^ {2}(?:async )?(\w+)\(stage/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});
