/**
 * The gate: runs every check, says on one line each what it looked at and how it
 * went, shows what the failing ones printed, names them, and ends with "N passed, N failed".
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

const steps = [...contractSteps, ...sourceSteps, ...packageSteps];
const failed: string[] = [];
for (const step of steps) if (!(await passes(step))) failed.push(step.name);
for (const name of failed) console.log(`failed: ${name}: npm run check`);
console.log(`${steps.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
