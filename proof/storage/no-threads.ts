/** Loaded before the hub with `node --import`: no thread can begin, as where the machine allows no more. */
import { createRequire, syncBuiltinESMExports } from "node:module";

const threads = createRequire(import.meta.url)("node:worker_threads");
threads.Worker = class {
  constructor() {
    throw new Error("no thread can begin");
  }
};
syncBuiltinESMExports();
