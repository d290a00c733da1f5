import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgeClient } from "../../conformance/client/judge.ts";
import { loadScenarios } from "../../conformance/client/scenario.ts";
import { MUTANTS } from "../../proof/mutants/mutants.ts";
import { runProgram } from "../proof/program.js";
import { read, root } from "../repository/sources.js";

const PROGRAM = "conformance/client/main.ts";
const DRIVER = join(root, "conformance/client/drivers/typescript/driver.ts");
const scenarios = loadScenarios();

/** A program that is no client: it reads its instructions, and that is all. */
const DEAF = [process.execPath, "-e", "process.stdin.resume()"];

describe.concurrent("the TypeScript client", () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "does as it must: %s",
    async (_name, scenario) => {
      const verdict = await judgeClient(scenario, [process.execPath, DRIVER]);
      expect(verdict.sentence).toBeUndefined();
      expect(verdict.passed).toBe(true);
    },
  );
});

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
  const noticed = MUTANTS.filter(({ caughtBy }) => caughtBy === "judge-client").flatMap(
    ({ words = [] }) => words.filter((word) => word !== "--only"),
  );
  expect(scenarios.length).toBeGreaterThan(20);
  expect([...new Set(noticed)].toSorted()).toEqual(scenarios.map(({ name }) => name).toSorted());
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
