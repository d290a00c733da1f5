/**
 * Builds dist/: compiles src/ and gen/, and makes the command executable. The
 * new tree is made beside the old one and then takes its place, so that a failed
 * build leaves dist/ whole.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const compiler = join(root, "node_modules/typescript/bin/tsc");
const fresh = join(root, `dist.${process.pid}`);
const old = join(root, `dist.${process.pid}.old`);

try {
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", fresh], {
    cwd: root,
    stdio: "inherit",
  });
  const command = join(fresh, "src/cli/main.js");
  chmodSync(command, 0o755);
  if (existsSync(join(root, "dist"))) renameSync(join(root, "dist"), old);
  renameSync(fresh, join(root, "dist"));
} catch (error) {
  // tsc has printed what it found; a stack trace of this file would only hide it.
  if (!(error instanceof Error && "status" in error)) throw error;
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
