import { expect, test } from "vitest";
import { runProgram } from "./program.js";

const PROGRAM = "proof/fuzz/main.ts";

test("M5: two agents talk on while a hub is sent hostile input of every kind", async () => {
  const { code, stdout, lastLine } = await runProgram(PROGRAM, "--seconds", "2", "--seed", "1");
  expect(lastLine, stdout).toMatch(
    /^seconds=2 connections=\d{2,} calls=\d{2,} frames=\d{3,} control_ok=\d+ control_failed=0 hub_ended=0 rss_start_mib=[\d.]+ rss_before_mib=[\d.]+ rss_after_mib=[\d.]+ rss_growth_mib=-?[\d.]+ rss_stocked_mib=[\d.]+ control_slowest_ms=\d+ seed=1$/,
  );
  expect(code).toBe(0);
}, 90_000);

test("the fuzz proof refuses what is no number of seconds, with exit code 2", async () => {
  expect((await runProgram(PROGRAM, "--seconds", "soon")).code).toBe(2);
});
