#!/usr/bin/env node
// Nothing but this check may be imported statically: an older Node would crash
// while loading the rest, before it could say why.
import { nodeProblem } from "./node-version.js";

const problem = nodeProblem(process.versions);
if (problem === undefined) {
  // A failed write is told to whoever wrote; without a listener it would end the process.
  process.stdout.on("error", () => {});
  // Nobody reads the remarks any more: no reason to end the work.
  process.stderr.on("error", () => {});
  const { run } = await import("./program.js");
  process.exitCode = await run(process.argv.slice(2), process.env);
  // Everything is written and closed; a connection still winding down must not hold a shell up.
  process.exit();
} else {
  process.stderr.write(`claw-chat: ${problem}\n`);
  process.exitCode = 1;
}
