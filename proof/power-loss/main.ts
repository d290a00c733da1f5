import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { randomFrom } from "../support/random.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { lackingForTraces } from "../syscalls/lacking.ts";
import { toldEntries } from "../syscalls/told-entries.ts";
import { DB_NAME, tracedRun } from "../syscalls/traced-run.ts";
import { losePower } from "./lose-power.ts";
import { startOpener } from "./opener.ts";
import { everyFsync, PHASES, type Phase, samplePoints } from "./points.ts";
import { VARIANTS } from "./survivors.ts";

const command = new Command("node proof/power-loss/main.ts")
  .description(
    "Proves that what was told outlives a power loss (G1): replays a hub's writes as far as its " +
      "fsyncs have covered them, and a part of the rest, and has the hub open the result.",
  )
  .addOption(new Option("--points <n>", "moments to sample").default(60).argParser(wholeNumber))
  .option("--all", "instead, right before and after every fsync", false)
  .addOption(new Option("--only <phase>", "sample only these moments").choices(PHASES))
  .addOption(new Option("--messages <n>", "messages in all").default(800).argParser(wholeNumber))
  .addOption(
    new Option(
      "--synchronous <mode>",
      "NORMAL is the control: commits are not synced, and it must fail",
    )
      .choices(["FULL", "NORMAL"])
      .default("FULL"),
  )
  .addOption(
    new Option("--seed <n>", "what is random comes from it")
      .default(Math.floor(Math.random() * 2 ** 31), "random")
      .argParser(wholeNumber),
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = command.opts<{
  points: number;
  only?: Phase;
  all: boolean;
  messages: number;
  synchronous: "FULL" | "NORMAL";
  seed: number;
}>();
const { only, all, messages, synchronous, seed } = options;

const lacking = lackingForTraces();
if (lacking !== undefined) {
  console.log(`lacking=${lacking}`);
  process.exit(3);
}

const folder = mkdtempSync(join(tmpdir(), "claw-chat-power-loss-"));
const run = await tracedRun({
  ...{ folder, messages, seed, synchronous },
  ...{ maxContentBytes: 24_000, window: 1 },
});
rmSync(join(folder, "data"), { recursive: true });
const { events, finished } = run;
const random = randomFrom(seed);
const points = all
  ? everyFsync(events)
  : samplePoints(events, { count: options.points, random, phase: only });
const opener = startOpener();
const violations = await losePower({
  ...{ ...run, points, random, folder, opener },
  progress: (done) => {
    if (done % 20 === 0) console.error(`${done} of ${points.length} points`);
  },
});
opener.end();

for (const { point, variant, unopened, lost, gaps, damaged, folder: kept } of violations) {
  const what = [unopened, ...damaged, ...gaps, ...lost].filter((one) => one !== "");
  const more = what.length > 3 ? ` (and ${what.length - 3} more)` : "";
  console.log(`after event ${point}, ${variant}: ${what.slice(0, 3).join("; ")}${more}: ${kept}`);
}
const receipts = toldEntries(events).filter(
  ({ by, token }) => by === "receipt" && finished.has(token),
).length;
const logs = new Set(
  events.flatMap((one) =>
    one.kind === "create" && one.name === `${DB_NAME}-wal` ? [one.file] : [],
  ),
);
// A log that is copied into the database begins anew.
const checkpoints =
  events.filter((one) => one.kind === "write" && logs.has(one.file) && one.offset === 0).length - 1;
const provesSomething = receipts === finished.size && checkpoints > 0 && points.length > 0;
if (!provesSomething) {
  console.log(`${receipts} of ${finished.size} receipts were seen, and ${checkpoints} checkpoints`);
}
const held = violations.length === 0 && provesSomething;
if (held) rmSync(folder, { recursive: true });
else {
  const phase = only === undefined ? "" : ` --only ${only}`;
  const which = all ? "--all" : `--points ${options.points}${phase}`;
  const flags = `${which} --messages ${messages} --synchronous ${synchronous} --seed ${seed}`;
  console.log(`again: node proof/power-loss/main.ts ${flags}`);
}
const sum = (of: "lost" | "gaps" | "damaged") =>
  violations.reduce((total, one) => total + one[of].length, 0);
console.log(
  `points=${points.length} variants=${points.length * VARIANTS.length} receipts=${receipts} ` +
    `lost=${sum("lost")} unopened=${violations.filter(({ unopened }) => unopened !== "").length} ` +
    `gaps=${sum("gaps")} damaged=${sum("damaged")} checkpoints=${checkpoints} seed=${seed}`,
);
process.exitCode = held ? 0 : 1;
