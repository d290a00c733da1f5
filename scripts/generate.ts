/**
 * Generates gen/ from the contract: the TypeScript code, and the descriptors that server
 * reflection serves, those of the health service included.
 * `node scripts/generate.ts <folder>` does it below another folder.
 */
import { join } from "node:path";
import { root, run } from "./check/step.ts";

const folder = process.argv[2] ?? root;

for (const args of [
  ["generate", "--output", folder],
  ["build", "--output", join(folder, "gen/descriptor.binpb")],
  ["build", "node_modules/grpc-health-check/proto", "--output", join(folder, "gen/health.binpb")],
]) {
  const ended = await run("buf", args);
  process.stdout.write(ended.output);
  if (!ended.ok) {
    process.exitCode = 1;
    break;
  }
}
