import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/**
 * Loaded into a command with `--import`: kills it before the nth change that it makes to the names,
 * contents or rights of files, KILLED_AT_STEP being n. SQLite's own changes are not counted.
 */
let left = Number(process.env.KILLED_AT_STEP);

function step(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
}

const { chmodSync, linkSync, renameSync, rmSync, writeFileSync } = fs;
fs.chmodSync = (...args) => {
  step();
  chmodSync(...args);
};
fs.linkSync = (...args) => {
  step();
  linkSync(...args);
};
fs.renameSync = (...args) => {
  step();
  renameSync(...args);
};
fs.rmSync = (...args) => {
  if (fs.existsSync(args[0])) step();
  rmSync(...args);
};
fs.writeFileSync = (...args) => {
  step();
  writeFileSync(...args);
};
syncBuiltinESMExports();
