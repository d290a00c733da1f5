import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { wholeNumber } from "../support/whole-number.ts";
import { durableEntries } from "./durable-entries.ts";
import { lackingForTraces } from "./lacking.ts";
import { toldEntries } from "./told-entries.ts";
import { tracedRun } from "./traced-run.ts";

const command = new Command("node proof/syscalls/main.ts")
  .description(
    "Proves from the hub's system calls that no byte of a receipt or a delivery leaves before an " +
      "fsync has covered its entry (G1, M1).",
  )
  .addOption(new Option("--messages <n>", "messages in all").default(2000).argParser(wholeNumber))
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
const { messages, synchronous, seed } = command.opts<{
  messages: number;
  synchronous: "FULL" | "NORMAL";
  seed: number;
}>();

const lacking = lackingForTraces();
if (lacking !== undefined) {
  console.log(`lacking=${lacking}`);
  process.exit(3);
}

const folder = mkdtempSync(join(tmpdir(), "claw-chat-syscalls-"));
const { said, finished, events, killedAt } = await tracedRun({
  ...{ folder, messages, seed, synchronous },
  ...{ maxContentBytes: 600, window: 8 },
});
const durable = durableEntries(events);
const told = toldEntries(events).filter(({ token }) => said.has(token));
const early = told.filter(({ token, begunAt }) => (durable.get(token) ?? Infinity) >= begunAt);
const count = (by: string) =>
  new Set(told.filter((one) => one.by === by && finished.has(one.token)).map(({ token }) => token))
    .size;
const [receipts, deliveries] = [count("receipt"), count("delivery")];
const fsyncs = events.filter(({ kind }) => kind === "sync" || kind === "sync-folder").length;

for (const { by, token, channelId, seq, begunAt } of early.slice(0, 20)) {
  const at = durable.get(token);
  console.log(
    `early: the ${by} of ${token} (${channelId}, ${seq}) left in line ${begunAt} of the trace, ` +
      (at === undefined ? "and no fsync ever covered it" : `its fsync returned in line ${at}`),
  );
}
// Written by the first hub, synced by none before the second.
const recovered = new Set(
  told
    .filter(({ token, begunAt }) => begunAt > killedAt && !finished.has(token))
    .filter(({ token }) => (durable.get(token) ?? Infinity) > killedAt)
    .map(({ token }) => token),
).size;
const isWhole = receipts === finished.size && deliveries === finished.size && recovered > 0;
if (!isWhole) {
  console.log(`of ${finished.size} entries, not every receipt and delivery was seen, or`);
  console.log("none of those that the first hub had written and not synced");
}
const held = early.length === 0 && isWhole;
if (held) rmSync(folder, { recursive: true });
else {
  console.log(`the traces are kept: ${folder}`);
  console.log(
    `again: node proof/syscalls/main.ts --messages ${messages} --synchronous ${synchronous} --seed ${seed}`,
  );
}
console.log(
  `receipts=${receipts} deliveries=${deliveries} fsyncs=${fsyncs} early=${early.length} recovered=${recovered} seed=${seed}`,
);
process.exitCode = held ? 0 : 1;
