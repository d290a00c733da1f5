import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { mutantPlugins } from "./proof/patches/vitest-mutant.ts";

/** Where to write the results for programs as well: `.ci/run` sets it and adds them up. */
const report = process.env.TEST_REPORT_FILE;

export default defineConfig({
  plugins: mutantPlugins(process.env.MUTANT),
  test: {
    // The cache does not know one mutant from another, and would keep what the first has broken.
    fsModuleCache: !process.env.MUTANT,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // One process takes one file after the other: loading grpc-js anew for each cost a third of the
    // processor's time. So a test leaves nothing behind in it: no timers, no folder, no environment.
    isolate: false,
    // Half of what the tests do is waiting for processes they have started.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Half the tests' time is starting claw-chat, and most of that is compiling it. Each command
    // runs in a folder of its own, so a relative path would give each a cache of its own.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compile") },
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
