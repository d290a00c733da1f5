/**
 * Generates from the contract: in gen/ the TypeScript code, and the descriptors that server
 * reflection serves, those of the health service included; and docs/reference.md.
 * `node scripts/generate.ts <folder>` does it below another folder.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./check/step.ts";
import { printReference } from "./reference/print-reference.ts";
import { readContract } from "./reference/read-contract.ts";

const folder = process.argv[2] ?? root;
const descriptors = join(folder, "gen/descriptor.binpb");

for (const args of [
  ["generate", "--output", folder],
  ["build", "--output", descriptors],
  ["build", "node_modules/grpc-health-check/proto", "--output", join(folder, "gen/health.binpb")],
]) {
  const ended = await run("buf", args);
  process.stdout.write(ended.output);
  if (!ended.ok) {
    process.exitCode = 1;
    break;
  }
}

if (process.exitCode === undefined) {
  mkdirSync(join(folder, "docs"), { recursive: true });
  const reference = printReference(readContract(readFileSync(descriptors)));
  writeFileSync(join(folder, "docs/reference.md"), reference);
}
