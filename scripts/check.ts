/**
 * The gate: runs every check, says on one line each what it looked at and how it
 * went, shows what the failing ones printed, and ends with "N passed, N failed".
 */
import { contractSteps } from "./check/contract.ts";
import { packageSteps } from "./check/package.ts";
import { sourceSteps } from "./check/source.ts";
import type { Step } from "./check/step.ts";

/** Runs a step and prints its line; an exception of the step itself is a failure too. */
async function passes(step: Step): Promise<boolean> {
  const startedAt = performance.now();
  const { ok, looked, output } = await step.run().catch((error: unknown) => ({
    ok: false,
    looked: "broke off",
    output: String(error),
  }));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${step.name.padEnd(28)} ${ok ? "ok    " : "FAILED"} ${seconds.padStart(5)} s  ${looked}`,
  );
  if (!ok) console.log(`${output.trim().replace(/^/gm, "    ")}\n`);
  return ok;
}

let passed = 0;
let failed = 0;
for (const step of [...contractSteps, ...sourceSteps, ...packageSteps]) {
  if (await passes(step)) passed += 1;
  else failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
