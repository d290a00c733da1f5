import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { GOALS } from "../../bench/report/goals.ts";
import { runProgram } from "../proof/program.js";

const PROFILE = "bench/profile.ts";
const PROGRAM = "bench/main.ts";
const SHORT = ["--small", "--rounds", "1", "--ms", "50", "--warm-ms", "20"];

/** It starts a dozen servers, which is slow where others use the machine. */
const TIMEOUT_MS = 300_000;

/** Those that need a C compiler. */
const COMPILED = ["slow_disk_rate", "slow_disk_event_loop"];
const HAS_COMPILER = spawnSync("cc", ["--version"]).status === 0;

test(
  "the benchmark measures every goal, and says so to programs",
  async () => {
    const { code, stdout, stderr } = await runProgram(PROGRAM, ...SHORT, "--full", "--json");
    expect(code, stderr).toBe(0);
    const { goals } = JSON.parse(stdout);
    expect(goals.map(({ id }: { id: string }) => id)).toEqual(Object.keys(GOALS));
    for (const { id, must, aim, measured, met } of goals) {
      expect([must, aim].every(Number.isFinite), id).toBe(true);
      if (COMPILED.includes(id) && !HAS_COMPILER) {
        expect({ measured, met }, id).toEqual({ measured: null, met: null });
        continue;
      }
      expect(measured, id).toBeGreaterThanOrEqual(0);
      expect(typeof met, id).toBe("boolean");
    }
  },
  TIMEOUT_MS,
);

test("the benchmark leaves open what it has not measured", async () => {
  const { code, stdout } = await runProgram(PROGRAM, ...SHORT, "--only", "latency");
  expect(code).toBe(0);
  expect(stdout).toMatch(/this hub: receipt and delivery +│ +\d+\.\d+/);
  expect(stdout).toMatch(/memory of an idle session .* not measured │ {2,}│/);
});

test(
  "a profile of the hub under load is written and summed up",
  async () => {
    const { code, stdout, stderr } = await runProgram(
      PROFILE,
      "--small",
      "--ms",
      "200",
      "--top",
      "1000",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/│ +\d+\.\d % │ +\d+ │ \S+ +│ dist\/src\/server\/\S+\.js:\d+ +│/);
    const path = /^(.+\.cpuprofile): /m.exec(stdout)?.[1] ?? "";
    expect(JSON.parse(readFileSync(path, "utf8")).samples.length).toBeGreaterThan(0);
    rmSync(path);
  },
  TIMEOUT_MS,
);

test("the benchmark refuses a flag that it does not know", async () => {
  const { code, stderr } = await runProgram(PROGRAM, "--fast");
  expect(stderr).toContain("unknown option '--fast'");
  expect(code).toBe(1);
});
