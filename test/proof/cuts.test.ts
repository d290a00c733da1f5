import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { endCli, startScript } from "../support/cli.js";

const PROOF = fileURLToPath(new URL("../../proof/cuts/main.ts", import.meta.url));

afterAll(endCli);

test("D1, M2, D3: a connection cut at any byte loses, repeats and reorders nothing", async () => {
  const { code, stdout } = await startScript(PROOF, ["--samples", "60"]).result;
  expect(stdout).toMatch(
    /^cuts=\d+ offsets=\d+\+\d+ lost=0 duplicated=0 misordered=0 gaps=0 broken=0 .*\n$/,
  );
  expect(code).toBe(0);
});

test("the proof of the cuts refuses a place that does not exist, with exit code 2", async () => {
  const { code, stderr } = await startScript(PROOF, ["--cut", "consumer:sideways:1:reset"]).result;
  expect(stderr).toContain("role:direction:offset:how");
  expect(code).toBe(2);
});
